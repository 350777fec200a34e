/** The same packet at its previous hop: what the router (or bridge) changed on the way. */

import type { DecodedField, DecodedLayer } from "../../api/types";
import type { PacketRow } from "../../packets/index";
import { keyOf } from "./hexMap";

/** Key of a field → its value one hop before. */
export type Differences = ReadonlyMap<string, string>;

/** The sightings of one packet in kernel order, and which of them `row` is. */
export function hopsOf(
  row: PacketRow,
  sightings: readonly PacketRow[],
): { hops: readonly PacketRow[]; at: number; previous: PacketRow | null } {
  const others = sightings.filter((one) => one.number !== row.number);
  const hops = [...others, row].sort((a, b) => a.time - b.time || a.number - b.number);
  const at = hops.indexOf(row);
  return { hops, at, previous: hops[at - 1] ?? null };
}

function leaves(layers: readonly DecodedLayer[]): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (fields: readonly DecodedField[], parent: string) => {
    const seen = new Map<string, number>();
    for (const field of fields) {
      const key = keyOf(parent, field.name, seen);
      if (field.fields.length === 0) found.set(key, field.value);
      else walk(field.fields, key);
    }
  };
  const seen = new Map<string, number>();
  for (const layer of layers) walk(layer.fields, keyOf("", layer.protocol, seen));
  return found;
}

/** Fields whose values differ. A field that only one of the two has is not compared. */
export function differences(
  now: readonly DecodedLayer[],
  before: readonly DecodedLayer[],
): Differences {
  const old = leaves(before);
  const found = new Map<string, string>();
  for (const [key, value] of leaves(now)) {
    const was = old.get(key);
    if (was !== undefined && was !== value) found.set(key, was);
  }
  return found;
}
