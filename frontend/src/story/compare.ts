/** What was foretold beside what was seen. */

import type { Step, Verdict } from "../api/traces";
import type { Station } from "./journey";

/** One thing that a node does: of the steps that it takes, the last says how. */
export interface Deed {
  step: Step;
  /** Indices of its steps. */
  first: number;
  last: number;
  /** Numbers of the stations that show it. */
  stations: readonly number[];
  seen: boolean;
}

/**
 * The steps of the dry run, deed by deed, with the stations that show them. `askers`: nodes that
 * asked for an address on the way, by a packet of its own.
 */
export function compare(
  steps: readonly Step[],
  stations: readonly Station[],
  verdict: Verdict | null,
  askers: ReadonlySet<string>,
): Deed[] {
  const deeds: Deed[] = [];
  steps.forEach((step, index) => {
    const found = stationsOf(step, stations);
    const before = deeds.at(-1);
    const seen = found.length > 0 || asks(step, askers) || ends(step, before, verdict);
    if (before && sameDeed(before.step, step)) {
      const all = new Set([...before.stations, ...found]);
      deeds[deeds.length - 1] = {
        ...before,
        step,
        last: index,
        stations: [...all],
        seen: before.seen && seen,
      };
    } else {
      deeds.push({ step, first: index, last: index, stations: found, seen });
    }
  });
  return deeds;
}

function sameDeed(one: Step, other: Step): boolean {
  return one.node === other.node && one.leg === other.leg && one.action === other.action;
}

/** Packet sockets tell of a cable once: then both of its ends are this one sighting. */
function stationsOf(step: Step, stations: readonly Station[]): number[] {
  if (step.action === "resolve") return []; // by a packet of its own
  const leg = stations.filter((station) => station.leg === step.leg);
  const here = leg.filter(({ hop }) => hop.node === step.node);
  const exact = here.filter(({ hop }) =>
    step.direction === "end"
      ? hop.direction === "drop"
      : hop.direction === step.direction && hop.interface === step.interface,
  );
  const across =
    exact.length === 0 && step.direction !== "end" && step.link !== ""
      ? leg.filter(({ hop }) => hop.link === step.link && hop.along === step.along)
      : exact;
  return across.map(({ number }) => number);
}

/** Who has the next address is asked by another packet. */
function asks(step: Step, askers: ReadonlySet<string>): boolean {
  return step.action === "resolve" && askers.has(step.node);
}

/** A delivery is seen as the arrival before it; a drop that left no record, by the verdict. */
function ends(step: Step, before: Deed | undefined, verdict: Verdict | null): boolean {
  if (step.direction !== "end") return false;
  if (step.action === "drop") return verdict?.kind === "fault" && verdict.node === step.node;
  return before !== undefined && before.step.leg === step.leg && before.seen;
}
