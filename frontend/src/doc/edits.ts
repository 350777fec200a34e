/** Drawing gestures as operations. */

import { makeInterface, makeLink, makeNode } from "./defaults";
import { collectionOf, indexOf } from "./graph";
import { newId } from "./ids";
import type { Collection, NodeKind, Topology } from "./model";
import { nextNodeName, nextPortName } from "./names";
import { add, batch, type Operation, predict, remove, type SimpleOperation, set } from "./ops";

/**
 * A new cable: two interfaces with the next free names and a link, one undo step. An end may also
 * name an interface that is there and free.
 */
export function connect(topology: Topology, from: string, to: string): SimpleOperation[] {
  const operations: SimpleOperation[] = [];
  const names = new Map<string, Set<string>>();
  const end = (id: string): string => {
    if (topology.interfaces[id]) return id;
    const taken = names.get(id) ?? new Set();
    names.set(id, taken);
    const name = nextPortName(topology, id, taken);
    taken.add(name);
    const port = newId("interfaces");
    operations.push(add("interfaces", port, makeInterface(id, name)));
    return port;
  };
  const [a, b] = [end(from), end(to)];
  operations.push(add("links", newId("links"), makeLink(a, b)));
  return operations;
}

/** Put a node into a cable: the cable goes, two new ones come; its interfaces keep their ends. */
export function insertIntoLink(
  topology: Topology,
  link: string,
  kind: NodeKind,
  x: number,
  y: number,
): { operation: Operation; node: string } | null {
  const cable = topology.links[link];
  if (!cable) return null;
  const node = newId("nodes");
  const operations: SimpleOperation[] = [
    add("nodes", node, makeNode(kind, nextNodeName(topology, kind), x, y)),
    remove("links", link),
  ];
  const taken = new Set<string>();
  const drawn = predict(topology, { kind: "batch", operations }).topology;
  for (const end of [cable.a, cable.b]) {
    const port = newId("interfaces");
    const name = nextPortName(drawn, node, taken);
    taken.add(name);
    operations.push(
      add("interfaces", port, makeInterface(node, name)),
      add("links", newId("links"), makeLink(end, port)),
    );
  }
  return { operation: batch(operations), node };
}

/**
 * Remove whatever `ids` name. A removed cable takes its two interfaces along, as pulling a cable
 * drawn in one gesture should leave no stray ports behind; interfaces that carry routes stay.
 */
export function removeAll(topology: Topology, ids: Iterable<string>): Operation | null {
  const operations: SimpleOperation[] = [];
  const gone = new Set(ids);
  const index = indexOf(topology);
  for (const id of gone) {
    const collection = collectionOf(topology, id);
    if (collection === null || coveredByOther(topology, collection, id, gone)) continue;
    operations.push(remove(collection, id));
    const link = collection === "links" ? topology.links[id] : undefined;
    for (const port of link ? [link.a, link.b] : []) {
      const routes = index.routesBy.get(port) ?? [];
      if (routes.length > 0 || gone.has(port)) continue;
      if (!gone.has(topology.interfaces[port]?.node ?? ""))
        operations.push(remove("interfaces", port));
    }
  }
  return operations.length === 0 ? null : batch(dedupe(operations));
}

/** True when removing something else in `gone` already takes it along. */
function coveredByOther(
  topology: Topology,
  collection: Collection,
  id: string,
  gone: ReadonlySet<string>,
): boolean {
  const nodeOf = (port: string) => topology.interfaces[port]?.node ?? "";
  if (collection === "interfaces") return gone.has(nodeOf(id));
  if (collection === "links") {
    const { a = "", b = "" } = topology.links[id] ?? {};
    return [a, b].some((end) => gone.has(end) || gone.has(nodeOf(end)));
  }
  if (collection === "services") return gone.has(topology.services[id]?.node ?? "");
  if (collection !== "routes") return false;
  const { node = "", device = null } = topology.routes[id] ?? {};
  return gone.has(node) || (device !== null && gone.has(device));
}

function dedupe(operations: SimpleOperation[]): SimpleOperation[] {
  const seen = new Set<string>();
  return operations.filter((operation) => {
    const key = `${operation.collection}/${operation.id}`;
    return !seen.has(key) && seen.add(key);
  });
}

export interface Move {
  id: string;
  x: number;
  y: number;
  width?: number;
  height?: number;
}

/** Moves and resizes of nodes, notes and groups. */
export function moveAll(topology: Topology, moves: readonly Move[]): Operation | null {
  const operations: SimpleOperation[] = [];
  for (const { id, ...patch } of moves) {
    if (topology.nodes[id]) operations.push(set("nodes", id, { x: patch.x, y: patch.y }));
    else if (topology.notes[id]) operations.push(set("notes", id, patch));
    else if (topology.groups[id]) operations.push(set("groups", id, patch));
  }
  return operations.length === 0 ? null : batch(operations);
}

/** Shift `ids` by (dx, dy) world px. */
export function shiftAll(
  topology: Topology,
  ids: Iterable<string>,
  dx: number,
  dy: number,
): Operation | null {
  const moves: Move[] = [];
  for (const id of ids) {
    const item = topology.nodes[id] ?? topology.notes[id] ?? topology.groups[id];
    if (item) moves.push({ id, x: item.x + dx, y: item.y + dy });
  }
  return moveAll(topology, moves);
}
