/** Time on a line on which microseconds and seconds both have room: long waits are cut out. */

import { ticksOf as roundTicks, type Window } from "../panels/dock/zoom";

export interface Cut {
  from: number; // ns
  to: number;
  x: number; // its middle, 0 to 1
}

export interface Scale {
  /** ns → 0 to 1. */
  x(ns: number): number;
  cuts: readonly Cut[];
  ticks: readonly { ns: number; x: number }[];
}

const CUT = 0.1; // of the line, for each wait that is cut out
const LONG = 4; // times all the rest together
const TICKS = 6;

/** A scale on which nothing is cut out, for a window of the journey. */
export function linearScale({ from, to }: Window): Scale {
  const x = (ns: number) => (ns - from) / Math.max(1, to - from);
  return { x, cuts: [], ticks: roundTicks({ from, to }, TICKS).map((ns) => ({ ns, x: x(ns) })) };
}

/** The moment at a place (0 to 1) of a scale that ends at `most` ns. */
export function nsAt(scale: Scale, place: number, most: number): number {
  let [low, high] = [0, most];
  for (let turn = 0; turn < 40; turn += 1) {
    const middle = (low + high) / 2;
    if (scale.x(middle) < place) low = middle;
    else high = middle;
  }
  return low;
}

interface Piece {
  from: number;
  to: number;
  cut: boolean;
}

/** A scale for these moments (ns, rising). */
export function scaleOf(moments: readonly number[]): Scale {
  const pieces = piecesOf(moments);
  const cuts = pieces.filter(({ cut }) => cut).length;
  const kept = pieces.reduce((sum, { from, to, cut }) => sum + (cut ? 0 : to - from), 0);
  const room = Math.max(0.2, 1 - cuts * CUT);
  const share = (piece: Piece) =>
    piece.cut ? (1 - room) / cuts : kept > 0 ? (room * (piece.to - piece.from)) / kept : 0;
  const x = (ns: number): number => {
    let left = 0;
    for (const piece of pieces) {
      if (ns <= piece.to) {
        const length = piece.to - piece.from;
        const part = length > 0 ? (ns - piece.from) / length : 0;
        return left + share(piece) * Math.max(0, part);
      }
      left += share(piece);
    }
    return Math.min(1, left);
  };
  return {
    x,
    cuts: pieces
      .filter(({ cut }) => cut)
      .map(({ from, to }) => ({ from, to, x: (x(from) + x(to)) / 2 })),
    ticks: ticksOf(pieces, kept).map((ns) => ({ ns, x: x(ns) })),
  };
}

/** The spans between moments; one that is much longer than all the others together is cut out. */
function piecesOf(moments: readonly number[]): Piece[] {
  const pieces: Piece[] = moments.slice(1).map((to, index) => ({
    from: moments[index] ?? 0,
    to,
    cut: false,
  }));
  const lengths = [...pieces].sort((a, b) => b.to - b.from - (a.to - a.from));
  let rest = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  for (const piece of lengths) {
    rest -= piece.to - piece.from;
    if (rest <= 0 || piece.to - piece.from <= LONG * rest) break;
    piece.cut = true;
  }
  return pieces;
}

function ticksOf(pieces: readonly Piece[], kept: number): number[] {
  if (kept <= 0) return [];
  const rough = kept / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  return joined(pieces).flatMap(({ from, to }) => {
    const first = Math.ceil(from / step) * step;
    const count = Math.max(0, Math.floor((to - first) / step) + 1);
    return Array.from({ length: count }, (_, index) => first + index * step);
  });
}

/** The spans that are not cut, each as long as it can be: no tick is counted twice. */
function joined(pieces: readonly Piece[]): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = [];
  let open: { from: number; to: number } | null = null;
  for (const { from, to, cut } of pieces) {
    if (cut) open = null;
    else if (open) open.to = to;
    else {
      open = { from, to };
      spans.push(open);
    }
  }
  return spans;
}
