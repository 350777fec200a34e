import { type EndsOf, type PacketRow, type PacketsPayload, parseRow } from "./rows";

export interface PacketFilter {
  nodes?: ReadonlySet<string>; // rows on a cable of one of these nodes
  protocols?: ReadonlySet<string>;
  text?: string; // in protocol, addresses or info; case does not matter
}

const CAPACITY = 5_000;

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
  tier = "";

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
    const fresh = payload.rows.map(parseRow).filter((row) => !this.numbers.has(row.number));
    for (const row of fresh) {
      this.numbers.set(row.number, row);
      this.rows.push(row);
    }
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

  filter(wanted: PacketFilter): PacketRow[] {
    const text = wanted.text?.trim().toLowerCase() ?? "";
    return this.rows.filter(
      (row) =>
        (!wanted.protocols?.size || wanted.protocols.has(row.protocol)) &&
        (!wanted.nodes?.size || this.touches(row.link, wanted.nodes)) &&
        (!text || contains(row, text)),
    );
  }

  clear(): void {
    this.rows = [];
    this.numbers.clear();
    this.gap = 0;
    this.lost = 0;
    this.changed();
  }

  /** Calls back after each change; returns how to stop it. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A capture numbers its packets from 1: a number that is taken by another packet tells of a new one. */
  private beginsAnew({ rows }: PacketsPayload): boolean {
    const first = rows[0] && parseRow(rows[0]);
    const last = this.rows[this.rows.length - 1];
    if (!first || !last || first.number > last.number) return false;
    return this.numbers.get(first.number)?.time !== first.time;
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

function contains(row: PacketRow, text: string): boolean {
  return `${row.protocol} ${row.source} ${row.destination} ${row.info}`
    .toLowerCase()
    .includes(text);
}
