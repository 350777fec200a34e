/** Which routes of a table a packet would take; longest prefix first, as the kernel looks. */

import type { TableRow } from "../api/tables";
import { contains, parseAddress, parsePrefix } from "../doc/ipv4";
import type { Station } from "./journey";

/** The IPv4 addresses of the packet as this station saw it; null: it has none. */
export function addressesOf(station: Station): { source: string; destination: string } | null {
  const layer = station.hop.layers.findLast(({ protocol }) => protocol === "IPv4");
  const value = (name: string) => layer?.fields.find((field) => field.name === name)?.value;
  const [source, destination] = [value("source"), value("destination")];
  return source && destination ? { source, destination } : null;
}

/** The route to an IPv4 address: the longest prefix, then the least metric; null: there is none. */
export function routeTo(address: string, routes: readonly TableRow[]): TableRow | null {
  const number = parseAddress(address);
  if (number === null) return null;
  const fitting = routes.flatMap((route) => {
    if (route.change === "new") return [];
    const prefix = parsePrefix(route.prefix === "default" ? "0.0.0.0/0" : String(route.prefix));
    return prefix && contains(prefix, number) ? [{ route, length: prefix.length }] : [];
  });
  const metric = (route: TableRow) => Number(route.metric ?? 0);
  fitting.sort((a, b) => b.length - a.length || metric(a.route) - metric(b.route));
  return fitting[0]?.route ?? null;
}

/** Whether an address is one of the node's own. */
export function isOwn(address: string, addresses: readonly TableRow[]): boolean {
  return addresses.some(
    (row) => row.change !== "new" && String(row.address).split("/", 1)[0] === address,
  );
}
