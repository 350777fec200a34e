import type { Exchange, PacketEnd } from "../api/traces";
import { type EndsOf, type PacketRow, type PacketsPayload, parseRow } from "./rows";

export interface PacketFilter {
  nodes?: ReadonlySet<string>; // rows on a cable of one of these nodes
  protocols?: ReadonlySet<string>;
  text?: string; // in protocol, addresses or info; case does not matter
}

const CAPACITY = 5_000;
const EXCHANGES = 500;

/** The last rows of a lab's packets, oldest first. Panels read it at their own pace by `version`. */
export class PacketStore {
  private rows: PacketRow[] = [];
  private readonly numbers = new Map<number, PacketRow>();
  private readonly listeners = new Set<() => void>();
  /** Rises with every change. */
  version = 0;
  /** Rows this reader never got, because it was slow. */
  gap = 0;
  /** Packets that the kernel's capture itself lost. */
  lost = 0;
  /** Events that the kernel's tracepoints saw and could not hand over. */
  unseen = 0;
  tier = "";
  private readonly ends = new Map<number, PacketEnd>();
  private readonly exchanges = new Map<number, Exchange>();

  constructor(
    private readonly endsOf: EndsOf,
    private readonly capacity = CAPACITY,
  ) {}

  /** Adds a batch and returns its rows; those that are here already are skipped. */
  push(payload: PacketsPayload): PacketRow[] {
    if (this.beginsAnew(payload)) this.clear();
    this.gap += payload.gap;
    this.lost += payload.lost;
    this.tier = payload.tier;
    this.unseen += (payload.unseen?.hops ?? 0) + (payload.unseen?.drops ?? 0);
    for (const end of payload.ends ?? []) keep(this.ends, end.packet, end, this.capacity);
    for (const one of payload.exchanges ?? [])
      keep(this.exchanges, one.id, one, Math.max(EXCHANGES, this.capacity / 10));
    const fresh = payload.rows.map(parseRow).filter((row) => !this.numbers.has(row.number));
    const last = this.rows[this.rows.length - 1]?.number ?? -1;
    for (const row of fresh) {
      this.numbers.set(row.number, row);
      this.rows.push(row);
    }
    // What a filter asks for may be known late: when the packet's verdict comes.
    if (fresh.some(({ number }) => number < last)) this.rows.sort((a, b) => a.number - b.number);
    this.trim();
    this.changed();
    return fresh;
  }

  /** All rows kept. Do not change the array. */
  all(): readonly PacketRow[] {
    return this.rows;
  }

  byNumber(number: number): PacketRow | undefined {
    return this.numbers.get(number);
  }

  /** The rows of one packet, cable by cable, in kernel order. */
  byPacket(packet: number): PacketRow[] {
    return this.rows.filter((row) => row.packet === packet).sort((a, b) => a.time - b.time);
  }

  /** Where a packet ended, when that is worth a word. */
  endOf(packet: number): PacketEnd | undefined {
    return this.ends.get(packet);
  }

  /** Packets that ended where they should not, or for a reason worth a word. */
  allEnds(): PacketEnd[] {
    return [...this.ends.values()];
  }

  exchange(id: number): Exchange | undefined {
    return this.exchanges.get(id);
  }

  /** Packets that answer each other; the one that moved last comes last. */
  allExchanges(): Exchange[] {
    return [...this.exchanges.values()];
  }

  filter(wanted: PacketFilter): PacketRow[] {
    const text = wanted.text?.trim().toLowerCase() ?? "";
    return this.rows.filter(
      (row) =>
        (!wanted.protocols?.size || wanted.protocols.has(row.protocol)) &&
        (!wanted.nodes?.size || this.touches(row.link, wanted.nodes)) &&
        (!text || contains(row, text)),
    );
  }

  /** Forget the rows only: others of the same capture will come. */
  clearRows(): void {
    this.rows = [];
    this.numbers.clear();
    this.changed();
  }

  clear(): void {
    this.rows = [];
    this.numbers.clear();
    this.ends.clear();
    this.exchanges.clear();
    this.gap = 0;
    this.lost = 0;
    this.unseen = 0;
    this.changed();
  }

  /** Calls back after each change; returns how to stop it. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A capture numbers its packets from 1: a low number on a later packet tells of a new one. */
  private beginsAnew({ rows }: PacketsPayload): boolean {
    const first = rows[0] && parseRow(rows[0]);
    const last = this.rows[this.rows.length - 1];
    return first && last ? first.number <= last.number && first.time > last.time : false;
  }

  private touches(link: string, nodes: ReadonlySet<string>): boolean {
    const ends = this.endsOf(link);
    return ends !== undefined && (nodes.has(ends.a) || nodes.has(ends.b));
  }

  private trim(): void {
    const excess = this.rows.length - this.capacity;
    if (excess <= 0) return;
    for (const row of this.rows.splice(0, excess)) this.numbers.delete(row.number);
  }

  private changed(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}

/** Newest last; what was set longest ago goes first. */
function keep<V>(map: Map<number, V>, key: number, value: V, capacity: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > capacity && !oldest.done) map.delete(oldest.value);
}

function contains(row: PacketRow, text: string): boolean {
  return `${row.protocol} ${row.source} ${row.destination} ${row.info}`
    .toLowerCase()
    .includes(text);
}
