/** A verdict in one or two words. */

import type { Exchange, Verdict } from "../api/traces";

export type Headline =
  | "delivered"
  | "dropped"
  | "refused"
  | "silent"
  | "expected"
  | "noise"
  | "unknown";

/** A fault of which the kernel told nothing was answered by somebody, or by nobody. */
export function headlineOf({ kind, seen }: Verdict, exchange: Exchange | null): Headline {
  if (kind !== "fault") return kind;
  if (exchange?.state === "refused") return "refused";
  return seen ? "dropped" : "silent";
}
