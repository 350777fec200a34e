/** Who belongs to whom: computed once per topology value and collection. */

import type { Topology } from "./model";

export interface TopologyIndex {
  interfacesOf: Map<string, string[]>; // node → interfaces, in name order
  childrenOf: Map<string, string[]>; // interface → interfaces that hang on it
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

function childrenOf(interfaces: Topology["interfaces"]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [id, { parent }] of Object.entries(interfaces)) {
    if (parent) push(map, parent, id);
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

type Items<V> = Record<string, V>;

/** True when two collections have the same ids in the same order, and the same in what is `read`. */
function alike<V extends object>(
  some: Items<V>,
  others: Items<V>,
  read: readonly (keyof V)[],
): boolean {
  const ids = Object.keys(some);
  const entries = Object.entries(others);
  return (
    ids.length === entries.length &&
    entries.every(([id, other], at) => {
      const one = some[id];
      if (ids[at] !== id || one === undefined) return false;
      return one === other || read.every((name) => one[name] === other[name]);
    })
  );
}

/**
 * Remember a function's result as long as its argument lives. What follows with the same in all
 * that the function reads gets the same result: an address that is typed changes no index.
 */
function once<V extends object, R>(
  compute: (items: Items<V>) => R,
  ...read: (keyof V)[]
): (items: Items<V>) => R {
  const cache = new WeakMap<Items<V>, R>();
  let last: { items: Items<V>; result: R } | null = null;
  return (items) => {
    const known = cache.get(items);
    if (known !== undefined) return known;
    const result = last && alike(last.items, items, read) ? last.result : compute(items);
    cache.set(items, result);
    last = { items, result };
    return result;
  };
}

const cachedInterfacesOf = once(interfacesOf, "node", "name");
const cachedChildrenOf = once(childrenOf, "parent");
const cachedLinksAt = once(linksAt, "a", "b");
const cachedRoutesOf = once(routesOf, "node");
const cachedRoutesBy = once(routesBy, "device");
const cachedServicesOf = once(servicesOf, "node");

/** The index of a topology; a move of a node costs nothing, its collection alone changes. */
export function indexOf(topology: Topology): TopologyIndex {
  return {
    interfacesOf: cachedInterfacesOf(topology.interfaces),
    childrenOf: cachedChildrenOf(topology.interfaces),
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
