/** The next free name: h1, r1, sw1 for nodes; eth0… for ports of hosts and routers, p1… of switches. */

import { indexOf } from "./graph";
import type { NodeKind, Topology } from "./model";

const NODE_STEM: Record<NodeKind, string> = {
  host: "h",
  router: "r",
  switch: "sw",
  uplink: "up",
};

/** Interface names: IFNAMSIZ is 16 with the closing zero (linux/if.h). */
export const NAME_BYTES = 15;

function nextFree(taken: ReadonlySet<string>, stem: string, first: number): string {
  for (let number = first; ; number += 1) {
    const name = `${stem}${number}`;
    if (!taken.has(name)) return name;
  }
}

function nodeNames(topology: Topology): Set<string> {
  return new Set(Object.values(topology.nodes).map((node) => node.name));
}

export function nextNodeName(topology: Topology, kind: NodeKind, reserved?: Set<string>): string {
  const taken = nodeNames(topology);
  for (const name of reserved ?? []) taken.add(name);
  return nextFree(taken, NODE_STEM[kind], 1);
}

/** A name for a copy of `name`: its stem with the next free number. */
export function copyName(topology: Topology, name: string, reserved: Set<string>): string {
  const taken = nodeNames(topology);
  for (const other of reserved) taken.add(other);
  if (!taken.has(name)) return name;
  const stem = name.replace(/\d+$/, "") || name;
  return nextFree(taken, stem.slice(0, NAME_BYTES - 4), 1);
}

export function nextPortName(topology: Topology, node: string, reserved?: Set<string>): string {
  const ports = indexOf(topology).interfacesOf.get(node) ?? [];
  const taken = new Set(ports.map((id) => topology.interfaces[id]?.name ?? ""));
  for (const name of reserved ?? []) taken.add(name);
  const isSwitch = topology.nodes[node]?.kind === "switch";
  return isSwitch ? nextFree(taken, "p", 1) : nextFree(taken, "eth", 0);
}

/** Problems of a name the server would refuse, as an i18n key; null when it is fine. */
export function nameProblem(name: string, taken: ReadonlySet<string>): string | null {
  if (name === "") return "fields.nameEmpty";
  if (new TextEncoder().encode(name).length > NAME_BYTES) return "fields.nameLong";
  if (/[\s/:]/.test(name) || name === "." || name === "..") return "fields.nameCharacters";
  return taken.has(name) ? "fields.nameTaken" : null;
}
