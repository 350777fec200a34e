/** Packets a half second by glyph colour: the time-line's bars, kept longer than the rows. */

import { type GlyphColor, glyphOf, type PacketRow } from "../../packets/index";

export const BIN = 0.5; // s
export const WINDOW = 120; // s that the time-line shows
const KEPT = 2 * WINDOW; // s

/** From the ground up; the order is that of the legend. */
export const COLORS: readonly GlyphColor[] = [
  "tcp",
  "tls",
  "udp",
  "dns",
  "dhcp",
  "icmp",
  "arp",
  "routing",
  "layer2",
  "other",
];
const PLACE = new Map(COLORS.map((color, at) => [color, at]));

export interface Bar {
  start: number; // s
  counts: readonly number[]; // by COLORS
  total: number;
}

interface Bin {
  counts: number[];
  total: number;
}

export class Histogram {
  private bins = new Map<number, Bin>();
  private newest = Number.NEGATIVE_INFINITY;

  add(rows: readonly PacketRow[]): void {
    for (const { time, protocol } of rows) {
      const key = Math.floor(time / BIN);
      const bin = this.bins.get(key) ?? { counts: COLORS.map(() => 0), total: 0 };
      const place = PLACE.get(glyphOf(protocol).color) ?? COLORS.length - 1;
      bin.counts[place] = (bin.counts[place] ?? 0) + 1;
      bin.total += 1;
      this.bins.set(key, bin);
      this.newest = Math.max(this.newest, key);
    }
    const oldest = this.newest - KEPT / BIN;
    for (const key of this.bins.keys()) if (key < oldest) this.bins.delete(key);
  }

  /** The bars that lie in [from, to), s, oldest first; empty ones are left out. */
  bars(from: number, to: number): Bar[] {
    const found: Bar[] = [];
    const last = Math.ceil(to / BIN);
    for (let key = Math.floor(from / BIN); key < last; key += 1) {
      const bin = this.bins.get(key);
      if (bin) found.push({ start: key * BIN, ...bin });
    }
    return found;
  }

  clear(): void {
    this.bins.clear();
    this.newest = Number.NEGATIVE_INFINITY;
  }
}
