/**
 * Turns packet rows, microseconds apart in the kernel, into passages that an eye can follow.
 *
 * Each passage is as late as its causes make it and no later: a packet starts on a cable when its
 * own passage to that node has ended, and a new packet of a conversation leaves a node when what
 * arrived there before it has arrived on the canvas too. The lag that this builds up is bounded:
 * past `SOFT_LAG` passages shorten, past `HARD_LAG` they are left out and counted.
 */
import type { PacketPassage } from "../scene/contract";
import type { EndsOf, PacketRow } from "./rows";

export const PLAYOUT_BUFFER = 200; // ms; hides the jitter of the socket
export const PASSAGE = 550; // ms on one cable at speed 1
export const SOFT_LAG = 2_500; // ms
export const HARD_LAG = 9_000; // ms
export const MAX_ALIVE = 600; // passages
const LEAST_SHARE = 0.03; // of a passage, at the hard limit: a ping five times a second stays whole
const STALE = 1_000; // ms; farther behind, the clocks are tied anew
const REMEMBERED = 4_096; // packets and conversations

export interface Playout {
  passages: PacketPassage[];
  /** Cables whose packets were left out; the canvas lets them glow instead. */
  crowded: string[];
}

export class Choreographer {
  /** 0.1 (slow) to 4 (fast). */
  speed = 1;
  /** Rows that were not shown because too much was under way. */
  dropped = 0;
  private offset: number | null = null; // scene ms minus kernel ms
  private alive: number[] = []; // ends of passages under way
  private readonly packets = new Bounded<Journey>(REMEMBERED);
  private readonly arrivals = new Bounded<number>(REMEMBERED);

  constructor(private readonly endsOf: EndsOf) {}

  /** Schedules rows, given in kernel order, on the scene's clock (ms). */
  add(rows: readonly PacketRow[], now: number): Playout {
    const playout: Playout = { passages: [], crowded: [] };
    this.alive = this.alive.filter((end) => end > now);
    this.tieClocks(rows, now);
    for (const row of rows) {
      const passage = this.schedule(row, now);
      if (passage === "unknown") continue;
      if (passage === "crowded") {
        this.dropped += 1;
        playout.crowded.push(row.link);
      } else {
        playout.passages.push(passage);
      }
    }
    return playout;
  }

  /** When the picture of a packet comes to a node, on the scene's clock; null: it never did. */
  arrival(packet: number, node: string): number | null {
    return this.packets.get(packet)?.arrivedAt.get(node) ?? null;
  }

  /** Forgets all that is under way; the next rows start afresh. */
  reset(): void {
    this.offset = null;
    this.alive = [];
    this.packets.clear();
    this.arrivals.clear();
    this.dropped = 0;
  }

  private tieClocks(rows: readonly PacketRow[], now: number): void {
    const first = rows[0];
    const last = rows[rows.length - 1];
    if (!first || !last) return;
    const offset = this.offset;
    const behind = offset === null || last.time * 1000 + offset < now - STALE;
    const ahead = offset !== null && first.time * 1000 + offset > now + PLAYOUT_BUFFER + STALE;
    if (behind || ahead) this.offset = now + PLAYOUT_BUFFER - first.time * 1000;
  }

  private schedule(row: PacketRow, now: number): PacketPassage | "unknown" | "crowded" {
    const ends = this.endsOf(row.link);
    if (!ends) return "unknown";
    const [from, to] = row.direction === "ab" ? [ends.a, ends.b] : [ends.b, ends.a];
    const due = Math.max(now, row.time * 1000 + (this.offset ?? 0));
    const start = Math.max(due, this.causeOf(row, from));
    const stretch = 1 / Math.min(1, this.speed);
    const lag = (start - due) / stretch;
    if (lag > HARD_LAG || this.alive.length >= MAX_ALIVE) return "crowded";
    const end = start + (PASSAGE / this.speed) * share(lag);
    this.remember(row, to, end);
    return {
      link: row.link,
      forward: row.direction === "ab",
      start,
      end,
      protocol: row.protocol,
      packet: row.packet,
      number: row.number,
    };
  }

  /** When that which the packet follows from has been shown. */
  private causeOf(row: PacketRow, from: string): number {
    const journey = this.packets.get(row.packet);
    if (journey) return journey.arrivedAt.get(from) ?? journey.latest;
    return this.arrivals.get(conversation(from, row)) ?? 0;
  }

  private remember(row: PacketRow, to: string, end: number): void {
    this.alive.push(end);
    const journey = this.packets.get(row.packet) ?? { arrivedAt: new Map(), latest: 0 };
    journey.arrivedAt.set(to, end);
    journey.latest = Math.max(journey.latest, end);
    this.packets.set(row.packet, journey);
    const key = conversation(to, row);
    this.arrivals.set(key, Math.max(end, this.arrivals.get(key) ?? 0));
  }
}

interface Journey {
  arrivedAt: Map<string, number>;
  latest: number;
}

/** Full length up to the soft limit, then less and less. */
function share(lag: number): number {
  const excess = Math.max(0, lag - SOFT_LAG) / (HARD_LAG - SOFT_LAG);
  return 1 - excess * (1 - LEAST_SHARE);
}

function conversation(node: string, row: PacketRow): string {
  const { source, destination } = row;
  return source < destination
    ? `${node} ${source} ${destination}`
    : `${node} ${destination} ${source}`;
}

/** A map that forgets what was set longest ago. */
class Bounded<Value> {
  private readonly entries = new Map<string | number, Value>();

  constructor(private readonly capacity: number) {}

  get(key: string | number): Value | undefined {
    return this.entries.get(key);
  }

  set(key: string | number, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.capacity) return;
    const oldest = this.entries.keys().next();
    if (!oldest.done) this.entries.delete(oldest.value);
  }

  clear(): void {
    this.entries.clear();
  }
}
