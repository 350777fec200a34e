/** Copy and paste of nodes with the cables between them, as JSON that survives another tab. */

import { isFields, normalizeDocument } from "./defaults";
import { indexOf } from "./graph";
import { newId } from "./ids";
import type { Topology } from "./model";
import { copyName } from "./names";
import { add, batch, type Operation, type SimpleOperation } from "./ops";
import { interfaceOf, movedTo } from "./services";

const FORMAT = "topoweb-clip";

export interface Clip {
  format: typeof FORMAT;
  content: Omit<Topology, "name" | "description" | "auto_address" | "offloads">;
}

/** What `ids` name, with their nodes' interfaces, routes and services, and cables with both ends inside. */
export function copy(topology: Topology, ids: ReadonlySet<string>): Clip | null {
  const index = indexOf(topology);
  const nodes = pick(topology.nodes, (id) => ids.has(id));
  const notes = pick(topology.notes, (id) => ids.has(id));
  const groups = pick(topology.groups, (id) => ids.has(id));
  if ([nodes, notes, groups].every((items) => Object.keys(items).length === 0)) return null;
  const inside = new Set(Object.keys(nodes).flatMap((id) => index.interfacesOf.get(id) ?? []));
  const links = pick(topology.links, (id) => {
    const link = topology.links[id];
    return link !== undefined && inside.has(link.a) && inside.has(link.b);
  });
  // Ports whose cable leads outside would come as loose ends: leave them.
  const wired = new Set(Object.values(links).flatMap((link) => [link.a, link.b]));
  const kept = (port: string) => inside.has(port) && (wired.has(port) || !index.linksAt.get(port));
  const interfaces = pick(topology.interfaces, kept);
  const routes = pick(topology.routes, (id) => {
    const route = topology.routes[id];
    if (!route || !nodes[route.node]) return false;
    return route.device === null || kept(route.device);
  });
  const services = pick(topology.services, (id) => {
    const service = topology.services[id];
    if (!service || !nodes[service.node]) return false;
    const port = interfaceOf(service);
    return port === null || kept(port);
  });
  return { format: FORMAT, content: { nodes, interfaces, links, routes, notes, groups, services } };
}

function pick<V>(items: Record<string, V>, keep: (id: string) => boolean): Record<string, V> {
  return Object.fromEntries(Object.entries(items).filter(([id]) => keep(id)));
}

/** Read clipboard text; null when it is not ours. */
export function readClip(text: string): Clip | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isFields(value) || value.format !== FORMAT || !isFields(value.content)) return null;
    return { format: FORMAT, content: normalizeDocument(value.content) };
  } catch {
    return null;
  }
}

/** Paste with new ids, free node names and no MAC addresses; returns the ids of what came. */
export function paste(
  topology: Topology,
  clip: Clip,
  shift: { x: number; y: number },
): { operation: Operation; ids: string[] } | null {
  const { content } = clip;
  const operations: SimpleOperation[] = [];
  const ids: string[] = [];
  const fresh = new Map<string, string>();
  const names = new Set<string>();
  const moved = <V extends { x: number; y: number }>(item: V): V => ({
    ...item,
    x: item.x + shift.x,
    y: item.y + shift.y,
  });
  for (const [old, node] of Object.entries(content.nodes)) {
    const id = newId("nodes");
    const name = copyName(topology, node.name, names);
    names.add(name);
    fresh.set(old, id);
    ids.push(id);
    operations.push(add("nodes", id, { ...moved(node), name }));
  }
  for (const [old, port] of Object.entries(content.interfaces)) {
    const node = fresh.get(port.node);
    if (node === undefined) continue;
    const id = newId("interfaces");
    fresh.set(old, id);
    operations.push(add("interfaces", id, { ...port, node, mac: null }));
  }
  for (const link of Object.values(content.links)) {
    const [a, b] = [fresh.get(link.a), fresh.get(link.b)];
    if (a !== undefined && b !== undefined) {
      operations.push(add("links", newId("links"), { ...link, a, b }));
    }
  }
  for (const route of Object.values(content.routes)) {
    const node = fresh.get(route.node);
    const device = route.device === null ? null : fresh.get(route.device);
    if (node === undefined || device === undefined) continue;
    operations.push(add("routes", newId("routes"), { ...route, node, device }));
  }
  for (const service of Object.values(content.services)) {
    const node = fresh.get(service.node);
    const old = interfaceOf(service);
    const port = old === null ? null : fresh.get(old);
    if (node === undefined || port === undefined) continue;
    operations.push(add("services", newId("services"), movedTo(service, node, port)));
  }
  for (const collection of ["notes", "groups"] as const) {
    for (const item of Object.values(content[collection])) {
      const id = newId(collection);
      ids.push(id);
      operations.push(add(collection, id, moved(item)));
    }
  }
  return operations.length === 0 ? null : { operation: batch(operations), ids };
}
