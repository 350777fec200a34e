/** The dry run once more, with the remedy in place: what each node would do then. */

import type { DryRun, Step } from "../api/traces";
import { compare, type Deed } from "./compare";

export interface DeedPair {
  key: string;
  deed: Deed | null; // of the dry run as things are; null: only with the remedy
  mended: Step | null; // how it goes with the remedy; null: it does not come to that
}

/** The deeds of both dry runs in one order: what both do stands in one line. */
export function paired(deeds: readonly Deed[], remedied: DryRun | null): DeedPair[] {
  const after = remedied ? compare(remedied.steps, [], null, new Set()) : [];
  const pairs: DeedPair[] = [];
  let next = 0;
  for (const deed of deeds) {
    const found = after.findIndex((one, at) => at >= next && same(one.step, deed.step));
    if (found >= 0) pairs.push(...after.slice(next, found).map(onlyMended));
    // What is one deed there may be two here, with a question for an address between them.
    const earlier = after.slice(0, next).findLast((one) => same(one.step, deed.step));
    const mended = found < 0 ? earlier : after[found];
    pairs.push({ key: `dry ${deed.first}`, deed, mended: mended?.step ?? null });
    if (found >= 0) next = found + 1;
  }
  return [...pairs, ...after.slice(next).map(onlyMended)];
}

function onlyMended({ step, first }: Deed): DeedPair {
  return { key: `mended ${first}`, deed: null, mended: step };
}

function same(one: Step, other: Step): boolean {
  return one.node === other.node && one.leg === other.leg && one.action === other.action;
}
