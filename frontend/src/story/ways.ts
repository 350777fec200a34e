/** Which cables a packet's way leads over, for the canvas. */

import type { Step } from "../api/traces";
import type { Station } from "./journey";

/** A piece of a way along one cable. */
export interface Piece {
  link: string;
  forward: boolean; // a → b
  share: number; // how far along it is known: 1, or ½ when nothing arrived at the far end
  arrow: boolean;
}

/** The foretold way. */
export function foretold(steps: readonly Step[]): Piece[] {
  return once(
    steps.flatMap(({ link, along, direction }) =>
      link === "" || direction === "end"
        ? []
        : [{ link, forward: along === "ab", share: 1, arrow: false }],
    ),
  );
}

/**
 * The way that was seen. `both`: each cable tells of its two ends (kernel tracepoints), so what
 * was sent and arrived nowhere goes only half the way.
 */
export function seen(stations: readonly Station[], both: boolean): Piece[] {
  const arrived = new Set(
    stations.filter(({ hop }) => hop.direction === "rx").map(({ hop }) => way(hop)),
  );
  return once(
    stations.flatMap(({ hop }) => {
      if (hop.link === "" || hop.direction === "drop") return [];
      const share = both && !arrived.has(way(hop)) ? 0.5 : 1;
      return [{ link: hop.link, forward: hop.along === "ab", share, arrow: true }];
    }),
  );
}

function way({ link, along }: { link: string; along: string }): string {
  return `${link} ${along}`;
}

function once(pieces: readonly Piece[]): Piece[] {
  const known = new Map(pieces.map((piece) => [`${piece.link} ${piece.forward}`, piece]));
  return [...known.values()];
}
