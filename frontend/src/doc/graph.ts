/** Who belongs to whom: computed once per topology value and collection. */

import type { Topology } from "./model";

export interface TopologyIndex {
  interfacesOf: Map<string, string[]>; // node → interfaces, in name order
  linksAt: Map<string, string[]>; // interface → links (one, in a sound drawing)
  routesOf: Map<string, string[]>; // node → routes
  routesBy: Map<string, string[]>; // interface → routes that leave by it
  servicesOf: Map<string, string[]>; // node → services
}

function push(map: Map<string, string[]>, key: string, id: string): void {
  const list = map.get(key);
  if (list) list.push(id);
  else map.set(key, [id]);
}

const byName = new Intl.Collator("en", { numeric: true });

function interfacesOf(interfaces: Topology["interfaces"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [id, port] of Object.entries(interfaces)) push(map, port.node, id);
  for (const list of map.values()) {
    list.sort((a, b) => byName.compare(interfaces[a]?.name ?? "", interfaces[b]?.name ?? ""));
  }
  return map;
}

function linksAt(links: Topology["links"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [id, link] of Object.entries(links)) {
    push(map, link.a, id);
    push(map, link.b, id);
  }
  return map;
}

function routesOf(routes: Topology["routes"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [id, route] of Object.entries(routes)) push(map, route.node, id);
  return map;
}

function routesBy(routes: Topology["routes"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [id, route] of Object.entries(routes)) {
    if (route.device !== null) push(map, route.device, id);
  }
  return map;
}

function servicesOf(services: Topology["services"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [id, service] of Object.entries(services)) push(map, service.node, id);
  return map;
}

/** Remember a function's result as long as its argument lives. */
function once<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const cache = new WeakMap<K, V>();
  return (key) => {
    const known = cache.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    cache.set(key, value);
    return value;
  };
}

const cachedInterfacesOf = once(interfacesOf);
const cachedLinksAt = once(linksAt);
const cachedRoutesOf = once(routesOf);
const cachedRoutesBy = once(routesBy);
const cachedServicesOf = once(servicesOf);

/** The index of a topology; a move of a node costs nothing, its collection alone changes. */
export function indexOf(topology: Topology): TopologyIndex {
  return {
    interfacesOf: cachedInterfacesOf(topology.interfaces),
    linksAt: cachedLinksAt(topology.links),
    routesOf: cachedRoutesOf(topology.routes),
    routesBy: cachedRoutesBy(topology.routes),
    servicesOf: cachedServicesOf(topology.services),
  };
}

/** The far end of an interface's cable; null when it is not plugged in. */
export function peerOf(
  topology: Topology,
  port: string,
): { link: string; port: string; node: string } | null {
  const link = indexOf(topology).linksAt.get(port)?.[0];
  const value = link === undefined ? undefined : topology.links[link];
  if (link === undefined || !value) return null;
  const other = value.a === port ? value.b : value.a;
  const node = topology.interfaces[other]?.node;
  return node === undefined ? null : { link, port: other, node };
}

const COLLECTIONS = [
  "nodes",
  "links",
  "notes",
  "groups",
  "interfaces",
  "routes",
  "services",
] as const;

/** Which collection holds `id`; null when none does. */
export function collectionOf(topology: Topology, id: string) {
  for (const collection of COLLECTIONS) {
    if (Object.hasOwn(topology[collection], id)) return collection;
  }
  return null;
}
