/** The span that the time-line filters by: where it lies and how keys and pointer move it. */

import type { Span } from "./filter";
import { BIN, WINDOW } from "./histogram";
import type { Window } from "./zoom";

/** What the time-line shows, s of kernel time. */
export type View = Window;

export type Edge = "from" | "to";

/** The window that ends at `now`; the newest bin is shown whole. */
export function viewAt(now: number): View {
  const to = (Math.floor(now / BIN) + 1) * BIN;
  return { from: to - WINDOW, to };
}

/** Time → px. */
export function xOf(time: number, view: View, width: number): number {
  return ((time - view.from) / (view.to - view.from)) * width;
}

/** px → time, on the grid of the bins as far as they are whole half seconds, and inside the view. */
export function timeAt(x: number, view: View, width: number, bin: number): number {
  const time = view.from + (x / Math.max(1, width)) * (view.to - view.from);
  const snapped = bin >= BIN ? Math.round(time / bin) * bin : time;
  return Math.max(view.from, Math.min(view.to, snapped));
}

/** The span between two times, at least one bin long. */
export function between(a: number, b: number, bin: number): Span {
  const from = Math.min(a, b);
  return { from, to: Math.max(from + bin, Math.max(a, b)) };
}

const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
};

/** The span after a key on one of its edges; null when the key is not the brush's. */
export function nudge(span: Span, edge: Edge, key: string, view: View, bin: number): Span | null {
  if (key === "Home" || key === "End") {
    // Out at its own side, an edge is open again.
    const outwards = (key === "Home") === (edge === "from");
    if (outwards) return { ...span, [edge]: null };
    return edge === "from"
      ? { ...span, from: (span.to ?? view.to) - bin }
      : { ...span, to: (span.from ?? view.from) + bin };
  }
  const steps = STEPS[key];
  if (steps === undefined) return null;
  if (edge === "from") {
    const time = (span.from ?? view.from) + steps * bin;
    const most = (span.to ?? view.to) - bin;
    return { ...span, from: time <= view.from ? null : Math.min(time, most) };
  }
  const time = (span.to ?? view.to) + steps * bin;
  const least = (span.from ?? view.from) + bin;
  return { ...span, to: time >= view.to ? null : Math.max(time, least) };
}
