/** What each station found in the packet's headers, field by field, and what had changed there. */

import type { DecodedField, DecodedLayer } from "../api/types";
import type { Station } from "./journey";

export interface HeaderRow {
  key: string;
  protocol: string;
  label: string; // of the field; "": the layer in a few words
  values: readonly (string | null)[]; // one a station; null: it has no such field
  changed: readonly boolean[]; // against the station before
}

/** Fields that say where a packet goes; layers that are not here are said in a few words. */
const TELLING: Record<string, readonly string[]> = {
  Ethernet: ["source", "destination"],
  VLAN: ["id"],
  ARP: ["operation", "sender_mac", "sender_ip", "target_mac", "target_ip"],
  IPv4: ["source", "destination", "ttl", "checksum"],
  IPv6: ["source", "destination", "hop_limit"],
  TCP: ["source_port", "destination_port", "flags"],
  UDP: ["source_port", "destination_port"],
};
/** Follows from other fields, and says nothing of its own. */
const DULL = new Set(["checksum_status"]);

interface Cell {
  protocol: string;
  label: string;
  name: string;
  value: string;
}

/** Rows for a table of stations: what tells, or (`all`) every field. */
export function headerRows(stations: readonly Station[], all: boolean): HeaderRow[] {
  const columns = stations.map(({ hop }) => cells(hop.layers));
  const rows = keysOf(columns).map((key): HeaderRow => {
    const values = columns.map((column) => column.get(key)?.value ?? null);
    const cell = columns.find((column) => column.has(key))?.get(key);
    return {
      key,
      protocol: cell?.protocol ?? "",
      label: cell?.label ?? "",
      values,
      changed: stations.map(({ before }, index) => differs(values, before, index)),
    };
  });
  if (all) return rows;
  return rows.filter(({ key, changed, label }) => {
    const [layer = "", path = ""] = key.split(" ");
    const name = path.slice(path.lastIndexOf(".") + 1);
    const protocol = layer.replace(/#\d+$/, "");
    const telling = TELLING[protocol];
    const word = telling ? telling.includes(name) : label === "";
    return word || (changed.some(Boolean) && label !== "" && !DULL.has(name));
  });
}

function differs(values: readonly (string | null)[], before: number, index: number): boolean {
  const [old, now] = [values[before], values[index]];
  return before >= 0 && old != null && now != null && old !== now;
}

/** Every key once, in the order of the layers, whichever stations have it. */
function keysOf(columns: readonly ReadonlyMap<string, Cell>[]): string[] {
  const keys: string[] = [];
  for (const column of columns) {
    let at = -1;
    for (const key of column.keys()) {
      const known = keys.indexOf(key);
      if (known < 0) keys.splice(at + 1, 0, key);
      at = known < 0 ? at + 1 : known;
    }
  }
  return keys;
}

function cells(layers: readonly DecodedLayer[]): Map<string, Cell> {
  const found = new Map<string, Cell>();
  const seen = new Map<string, number>();
  for (const { protocol, summary, fields } of layers) {
    const count = (seen.get(protocol) ?? 0) + 1;
    seen.set(protocol, count);
    const layer = count > 1 ? `${protocol}#${count}` : protocol;
    found.set(`${layer} `, { protocol, label: "", name: "", value: summary });
    const walk = (list: readonly DecodedField[], parent: string) => {
      for (const { name, label, value, fields: inner } of list) {
        found.set(`${layer} ${parent}${name}`, { protocol, label, name, value });
        walk(inner, `${parent}${name}.`);
      }
    };
    walk(fields, "");
  }
  return found;
}
