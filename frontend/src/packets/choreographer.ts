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

export const PLAYOUT_BUFFER = 40; // ms that hide the jitter of the socket; more, as it jitters more
export const MOST_BUFFER = 200;
const CALM = 10; // ms of the buffer that a batch in time gives back
const DRIFT = 0.05; // ms that two clocks may move apart between two batches
export const PASSAGE = 550; // ms on one cable at speed 1
export const SOFT_LAG = 2_500; // ms
export const HARD_LAG = 9_000; // ms
export const MAX_ALIVE = 600; // passages
export const MAX_ON_CABLE = 200; // likewise: a flood on one leaves room for what is rare elsewhere
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
  private least: number | null = null; // ms that a row takes to get here, lately
  private buffer = PLAYOUT_BUFFER;
  private offset = 0; // scene ms minus kernel ms: when a row is due
  private alive: PacketPassage[] = []; // under way
  private onCable = new Map<string, number>(); // how many of them
  private readonly packets = new Bounded<Journey>(REMEMBERED);
  private readonly arrivals = new Bounded<number>(REMEMBERED);

  constructor(private readonly endsOf: EndsOf) {}

  /** Schedules rows, given in kernel order, on the scene's clock (ms). */
  add(rows: readonly PacketRow[], now: number): Playout {
    const playout: Playout = { passages: [], crowded: [] };
    this.countAlive(now);
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
    this.least = null;
    this.buffer = PLAYOUT_BUFFER;
    this.alive = [];
    this.onCable.clear();
    this.packets.clear();
    this.arrivals.clear();
    this.dropped = 0;
  }

  private tieClocks(rows: readonly PacketRow[], now: number): void {
    const first = rows[0];
    const last = rows[rows.length - 1];
    if (!first || !last) return;
    const delay = now - first.time * 1000;
    const behind = this.least === null || last.time * 1000 + this.offset < now - STALE;
    const ahead = first.time * 1000 + this.offset > now + this.buffer + STALE;
    this.least = behind || ahead ? delay : Math.min(delay, (this.least ?? delay) + DRIFT);
    this.adapt(delay - this.least - this.buffer);
    this.offset = this.least + this.buffer;
  }

  /** Plays later when a batch came after its time (ms, negative: before), earlier again when not. */
  private adapt(late: number): void {
    const buffer = this.buffer + (late > 0 ? late : -CALM);
    this.buffer = Math.min(MOST_BUFFER, Math.max(PLAYOUT_BUFFER, buffer));
  }

  private schedule(row: PacketRow, now: number): PacketPassage | "unknown" | "crowded" {
    const ends = this.endsOf(row.link);
    if (!ends) return "unknown";
    const [from, to] = row.direction === "ab" ? [ends.a, ends.b] : [ends.b, ends.a];
    const due = Math.max(now, row.time * 1000 + this.offset);
    const start = Math.max(due, this.causeOf(row, from));
    const stretch = 1 / Math.min(1, this.speed);
    const lag = (start - due) / stretch;
    if (lag > HARD_LAG || this.isCrowded(row.link)) return "crowded";
    const end = start + (PASSAGE / this.speed) * share(lag);
    this.remember(row, to, end);
    const passage = {
      link: row.link,
      forward: row.direction === "ab",
      start,
      end,
      protocol: row.protocol,
      packet: row.packet,
      number: row.number,
    };
    this.alive.push(passage);
    this.onCable.set(row.link, (this.onCable.get(row.link) ?? 0) + 1);
    return passage;
  }

  private countAlive(now: number): void {
    this.alive = this.alive.filter(({ end }) => end > now);
    this.onCable.clear();
    for (const { link } of this.alive) this.onCable.set(link, (this.onCable.get(link) ?? 0) + 1);
  }

  private isCrowded(link: string): boolean {
    return this.alive.length >= MAX_ALIVE || (this.onCable.get(link) ?? 0) >= MAX_ON_CABLE;
  }

  /** When that which the packet follows from has been shown. */
  private causeOf(row: PacketRow, from: string): number {
    const journey = this.packets.get(row.packet);
    if (journey) return journey.arrivedAt.get(from) ?? journey.latest;
    return this.arrivals.get(conversation(from, row)) ?? 0;
  }

  private remember(row: PacketRow, to: string, end: number): void {
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
