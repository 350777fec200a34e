/** What is known of the story that is open. */

import type { DryRun, Exchange, Step, Trace, TraceRequest, Verdict } from "../api/traces";
import type { Window } from "../panels/dock/zoom";
import type { Station } from "./journey";

export type Phase = "idle" | "asking" | "armed" | "over" | "failed";
export type Shown = "dry" | "seen" | "both";

export interface StoryState {
  phase: Phase;
  failure: string;
  request: TraceRequest | null; // null: a packet that was only followed
  steps: readonly Step[];
  foretold: Verdict | null;
  run: readonly number[]; // packets of the exchange that was sent
  aside: readonly number[]; // packets that it took to send them: who has this address?
  result: Verdict | null; // of that exchange
  mended: DryRun | null; // with its remedy in place
  agree: boolean | null;
  differs: number | null;
  exchange: Exchange | null;
  traces: ReadonlyMap<number, Trace>;
  picked: number | null; // packet whose journey is shown
  stations: readonly Station[];
  at: number; // index of the station that is looked at
  clock: number; // ns of the journey
  window: Window | null; // ns, what the time-line shows; null: all of it, long waits cut out
  playing: boolean;
  speed: number; // of the journey's time; 1: as it was
  shown: Shown;
}

/** No story is open. */
export const NOTHING: Omit<StoryState, "shown"> = {
  phase: "idle",
  failure: "",
  request: null,
  steps: [],
  foretold: null,
  run: [],
  aside: [],
  result: null,
  mended: null,
  agree: null,
  differs: null,
  exchange: null,
  traces: new Map(),
  picked: null,
  stations: [],
  at: 0,
  clock: 0,
  window: null,
  playing: false,
  speed: 0.00001,
};

/** Speeds to choose from: 1 µs a second up to ten times as fast as it was. */
export const SPEEDS = [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1, 10] as const;
