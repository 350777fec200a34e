/** Drawing of children as operations. */

import { makeInterface } from "../doc/defaults";
import { indexOf } from "../doc/graph";
import { newId } from "../doc/ids";
import type { InterfaceKind, InterfaceOptions, Topology } from "../doc/model";
import { add, batch, type Operation, set } from "../doc/ops";

export type ChildKind = Exclude<InterfaceKind, "port">;

export const CHILD_KINDS: readonly ChildKind[] = ["macvlan", "ipvlan", "vlan"];
export const MACVLAN_MODES = ["bridge", "private", "vepa", "passthru"] as const;
export const IPVLAN_MODES = ["l2", "l3", "l3s"] as const;
export const IPVLAN_FLAGS = ["bridge", "private", "vepa"] as const;
const FIRST_VLAN = 10;

/** The children of an interface, in no order. */
export function childrenOf(topology: Topology, parent: string): readonly string[] {
  return indexOf(topology).childrenOf.get(parent) ?? [];
}

/** "h1:eth0" */
export function placeOf({ interfaces, nodes }: Topology, id: string): string {
  const item = interfaces[id];
  return item ? `${nodes[item.node]?.name}:${item.name}` : "";
}

/** A new child of `parent` in `node`, with a free name and the options of its siblings. */
export function addChild(
  topology: Topology,
  parent: string,
  node: string,
  kind: ChildKind,
): { id: string; operation: Operation } {
  const siblings = childrenOf(topology, parent)
    .map((id) => topology.interfaces[id])
    .filter((item) => item?.kind === kind);
  const options: InterfaceOptions =
    kind === "vlan"
      ? { id: freeVlan(siblings.map((item) => item?.options.id ?? 0)) }
      : { ...siblings[0]?.options };
  const above = topology.interfaces[parent];
  const stem = kind === "vlan" ? `${above?.name.slice(0, 10)}.${options.id}` : "";
  const name = freeName(topology, node, kind === "macvlan" ? "mv" : "ipv", stem);
  const id = newId("interfaces");
  const value = { ...makeInterface(node, name), kind, parent, options, mtu: above?.mtu ?? 1500 };
  return { id, operation: add("interfaces", id, value) };
}

/** New options of a child. ipvlan keeps them once a parent, so its siblings get them too. */
export function setOptions(topology: Topology, id: string, options: InterfaceOptions): Operation {
  const item = topology.interfaces[id];
  const alike =
    item?.kind === "ipvlan" && item.parent !== null
      ? childrenOf(topology, item.parent).filter(
          (other) => topology.interfaces[other]?.kind === "ipvlan",
        )
      : [id];
  return batch(alike.map((other) => set("interfaces", other, { options })));
}

function freeVlan(taken: readonly number[]): number {
  let id = FIRST_VLAN;
  while (taken.includes(id)) id += FIRST_VLAN;
  return id;
}

function freeName(topology: Topology, node: string, stem: string, wished: string): string {
  const ports = indexOf(topology).interfacesOf.get(node) ?? [];
  const taken = new Set(ports.map((id) => topology.interfaces[id]?.name));
  if (wished && !taken.has(wished)) return wished;
  let number = 0;
  while (taken.has(`${stem}${number}`)) number += 1;
  return `${stem}${number}`;
}
