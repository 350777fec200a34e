/** What was at a moment of a recording. Times in s. */

import type { LivePayload } from "../doc/live";

export type Timed<T> = readonly [time: number, value: T];

/** How many of these, sorted by time, are at or before a moment. */
export function countUntil<T>(all: readonly T[], time: number, timeOf: (one: T) => number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const one = all[middle];
    if (one !== undefined && timeOf(one) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The live state at a moment as one full payload: the last full one before it, and all that came
 * since. Before the first of all it is as the recording began.
 */
export function stateAt(live: readonly Timed<LivePayload>[], time: number): LivePayload | null {
  const count = Math.max(
    1,
    countUntil(live, time, ([at]) => at),
  );
  const past = live.slice(0, count);
  const from = Math.max(
    0,
    past.findLastIndex(([, payload]) => payload.full),
  );
  const last = past[past.length - 1];
  if (!last) return null;
  const state: LivePayload = { ...last[1], full: true, nodes: {}, links: {}, warnings: {} };
  for (const [, { nodes, links, warnings }] of past.slice(from)) {
    Object.assign(state.nodes, nodes);
    Object.assign(state.links, links);
    Object.assign(state.warnings ?? {}, warnings);
  }
  for (const all of [state.nodes, state.links, state.warnings ?? {}]) {
    for (const key of Object.keys(all)) if (all[key] === null) delete all[key];
  }
  return state;
}
