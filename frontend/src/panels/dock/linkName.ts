/** A cable as a direction of travel: "h1→sw1". */

import type { Topology } from "../../doc/model";
import type { PacketRow } from "../../packets/index";

type Passage = Pick<PacketRow, "link" | "direction">;

/** The names of the ends in the direction of travel; the cable's id when the drawing lost it. */
export function linkName({ link, direction }: Passage, topology: Topology): string {
  const cable = topology.links[link];
  const name = (port: string | undefined) =>
    topology.nodes[topology.interfaces[port ?? ""]?.node ?? ""]?.name;
  const [from, to] = direction === "ab" ? [cable?.a, cable?.b] : [cable?.b, cable?.a];
  const [source, target] = [name(from), name(to)];
  return source === undefined || target === undefined ? link : `${source}→${target}`;
}
