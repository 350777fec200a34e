/** A packet's way as a person follows it: its stations one after the other, then those of its answer. */

import type { Trace, TraceHop, Verdict } from "../api/traces";

export interface Station {
  number: number; // from 1
  packet: number;
  hop: TraceHop;
  at: number; // ns since the journey began
  before: number; // index of the station it came from; -1: the first of its packet
  leg: "there" | "back";
}

const GAP = 1_000; // ns between two packets whose distance in time is not known

/**
 * The stations of packets that follow each other. `begun`: when a packet was first seen, in s, as
 * far as that is known; the traces themselves only tell times since their own first hop.
 */
export function journeyOf(
  traces: readonly Trace[],
  begun: (trace: Trace) => number | null,
): Station[] {
  const stations: Station[] = [];
  const first = traces[0] ? begun(traces[0]) : null;
  traces.forEach((trace, index) => {
    const start = begun(trace);
    const since = start === null || first === null ? null : Math.round((start - first) * 1e9);
    const last = stations.at(-1)?.at ?? -GAP;
    const shift = since !== null && since >= last ? since : last + GAP;
    const offset = stations.length;
    for (const hop of trace.hops) {
      stations.push({
        number: stations.length + 1,
        packet: trace.packet,
        hop,
        at: shift + hop.time_ns,
        before: hop.parent < 0 ? -1 : offset + hop.parent,
        leg: index === 0 ? "there" : "back",
      });
    }
  });
  return stations;
}

/**
 * Whether the packet was thrown away here and should not have been. The kernel also counts as a
 * drop what nobody misses: a copy that flooded to the wrong host, a reply that a program has read.
 */
export function isFault({ hop }: Station, verdict: Verdict | null): boolean {
  if (hop.direction !== "drop" || verdict === null) return false;
  return (verdict.kind === "fault" || verdict.kind === "unknown") && verdict.node === hop.node;
}

/** What a station shows of the packet: coming in, going out, thrown away, or let go of. */
export function directionOf(
  station: Station,
  verdict: Verdict | null,
): "rx" | "tx" | "drop" | "done" {
  const { direction } = station.hop;
  return direction === "drop" && !isFault(station, verdict) ? "done" : direction;
}

/** The nodes of a journey, in the order in which it comes to them. */
export function lanesOf(stations: readonly Station[]): string[] {
  return [...new Set(stations.map(({ hop }) => hop.node))];
}

/** The last station that the clock (ns) has passed; 0 before all of them. */
export function stationAt(stations: readonly Station[], clock: number): number {
  let found = 0;
  stations.forEach((station, index) => {
    if (station.at <= clock) found = index;
  });
  return found;
}

/** ns as people read round numbers: "40 µs". */
export function formatRound(ns: number): string {
  const [value, unit] = scaled(ns);
  return `${Number(value.toFixed(2))} ${unit}`;
}

/** A tick of an axis whose ticks stand `step` ns apart: as many digits as tell them apart. */
export function formatTick(ns: number, step: number): string {
  const [size, unit]: [number, string] =
    step < 1e6 ? [1e3, "µs"] : step < 1e9 ? [1e6, "ms"] : [1e9, "s"];
  return `${Number((ns / size).toFixed(3))} ${unit}`;
}

/** ns as people read them: "40.3 µs". */
export function formatSpan(ns: number): string {
  const [value, unit] = scaled(ns);
  return `${value.toFixed(value >= 100 ? 0 : value >= 10 || unit === "µs" ? 1 : 2)} ${unit}`;
}

function scaled(ns: number): [value: number, unit: string] {
  if (ns < 1e6) return [ns / 1e3, "µs"];
  return ns < 1e9 ? [ns / 1e6, "ms"] : [ns / 1e9, "s"];
}
