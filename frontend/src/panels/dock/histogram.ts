/** Packets a half second by glyph colour: the time-line's bars, kept longer than the rows. */

import { type GlyphColor, glyphOf, type PacketRow } from "../../packets/index";
import { roundUp, type Window } from "./zoom";

export const BIN = 0.5; // s
export const WINDOW = 120; // s that the time-line shows at first
export const KEPT = 600; // s
const BARS = 240; // in a window

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

  /** The bars of `bin` s, a multiple of BIN, in a window. */
  wide({ from, to }: Window, bin: number): Bar[] {
    const found = new Map<number, Bar>();
    for (const bar of this.bars(from, to)) {
      const start = Math.floor((bar.start + BIN / 2) / bin) * bin;
      found.set(start, joined(found.get(start), { ...bar, start }));
    }
    return [...found.values()];
  }

  /** The oldest moment that is still known, s; null: none. */
  get oldest(): number | null {
    const [key] = this.bins.keys();
    return key === undefined ? null : key * BIN;
  }

  clear(): void {
    this.bins.clear();
    this.newest = Number.NEGATIVE_INFINITY;
  }
}

function joined(one: Bar | undefined, other: Bar): Bar {
  if (!one) return other;
  const counts = one.counts.map((count, at) => count + (other.counts[at] ?? 0));
  return { start: one.start, counts, total: one.total + other.total };
}

/** How long a bar of a window is, s: the time-line's own half seconds, or shorter than any packet. */
export function binOf({ from, to }: Window): number {
  return roundUp((to - from) / BARS);
}

/** The bars of a window from the rows themselves, for bins that are shorter than BIN. */
export function fineBars(rows: readonly PacketRow[], { from, to }: Window, bin: number): Bar[] {
  const found = new Map<number, Bin>();
  for (const { time, protocol } of rows) {
    if (time < from || time >= to) continue;
    const key = Math.floor((time - from) / bin); // epoch seconds have no digits left for 1e-7
    const known = found.get(key);
    const one = known ?? { counts: COLORS.map(() => 0), total: 0 };
    if (!known) found.set(key, one);
    const place = PLACE.get(glyphOf(protocol).color) ?? COLORS.length - 1;
    one.counts[place] = (one.counts[place] ?? 0) + 1;
    one.total += 1;
  }
  return [...found].map(([key, one]) => ({ start: from + key * bin, ...one }));
}
