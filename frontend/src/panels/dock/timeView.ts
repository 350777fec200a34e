/** What the time-line shows at a moment, and what it could show. */

import { viewAt } from "./brush";
import type { DockModel } from "./dockModel";
import { BIN } from "./histogram";
import { type Reach, type Window, zoomed } from "./zoom";

const LEAST = 20e-6; // s; a clock of epoch seconds in floating point tells quarters of a µs apart

/** A recording that is replayed: how long it is, and the moment that is shown. */
export interface Head {
  readonly reach: Window; // s
  time(): number;
  seek(time: number): void;
  /** Numbers of the rows that a display filter lets through; the canvas shows no others. */
  sieve(expression: string): Promise<ReadonlySet<number> | null>;
}

/** The window that is shown when the newest moment is `now`. */
export function windowOf(dock: DockModel, now: number): Window {
  return dock.state.getState().window ?? dock.head?.reach ?? viewAt(now);
}

/** All there is. */
export function reachOf(dock: DockModel, now: number): Reach {
  if (dock.head) return { ...dock.head.reach, least: LEAST };
  const { from, to } = viewAt(now);
  return { from: Math.min(from, dock.watch.histogram.oldest ?? from), to: to + BIN, least: LEAST };
}

/** Show a window; all there is, is the time-line as it was at first. */
export function showWindow(dock: DockModel, window: Window | null, reach: Reach): void {
  const all = dock.head !== null && window !== null && window.to - window.from >= length(reach);
  dock.state.setState({ window: all ? null : window });
}

/** Zoom about what one looks at: the moment that is replayed, the picked packet, or the middle. */
export function zoomBy(dock: DockModel, factor: number, now: number): void {
  const window = windowOf(dock, now);
  const reach = reachOf(dock, now);
  const { picked } = dock.state.getState();
  const looked = picked?.time ?? dock.head?.time() ?? now;
  const middle = (window.from + window.to) / 2;
  const at = looked >= window.from && looked <= window.to ? looked : middle;
  showWindow(dock, zoomed(window, at, factor, reach), reach);
}

function length({ from, to }: Window): number {
  return to - from;
}
