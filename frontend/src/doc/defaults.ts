/** Defaults of `core/topology/model.py`, and filling them into what arrives over the wire. */

import type {
  Collection,
  NodeKind,
  TopoGroup,
  TopoInterface,
  TopoLink,
  Topology,
  TopoNode,
  TopoNote,
  TopoRoute,
} from "./model";
import {
  isServiceKind,
  SERVICE_DEFAULTS,
  type ServiceKind,
  type ServiceOptions,
  type TopoService,
} from "./services";

type Fields = Record<string, unknown>;

const NODE: Omit<TopoNode, "kind" | "name"> = {
  x: 0,
  y: 0,
  forward_ipv4: false,
  forward_ipv6: false,
  stp: false,
  ageing: 300,
  priority: 32768,
  vlan_filtering: false,
  addresses: [],
  lo_up: true,
};
const INTERFACE: Omit<TopoInterface, "node" | "name"> = {
  mac: null,
  mtu: 1500,
  up: true,
  addresses: [],
  bridged: true,
  dhcp: false,
  kind: "port",
  parent: null,
  options: {},
  bridge_port: {
    hairpin: false,
    isolated: false,
    learning: true,
    flood: true,
    cost: 2,
    priority: 32,
    untagged: 1,
    tagged: [],
  },
};
const DEFAULTS: Record<Collection, Fields> = {
  nodes: NODE,
  interfaces: INTERFACE,
  links: { kind: "veth", up: true },
  routes: { via: null, device: null, metric: null },
  notes: { x: 0, y: 0, width: 180, height: 90 },
  groups: { x: 0, y: 0, width: 320, height: 240, color: "blue" },
  services: { up: true, options: {} },
};
const COLLECTIONS = Object.keys(DEFAULTS) as Collection[];

/** True for a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `value` with the left-out properties filled in. */
export function normalizeValue(collection: Collection, value: Fields): Fields {
  const whole = { ...DEFAULTS[collection], ...value };
  if (collection !== "services" || !isServiceKind(whole.kind)) return whole;
  const options = isFields(whole.options) ? whole.options : {};
  return { ...whole, options: { ...SERVICE_DEFAULTS[whole.kind], ...options } };
}

/** An empty drawing. */
export function emptyTopology(name = ""): Topology {
  return {
    name,
    description: "",
    auto_address: true,
    offloads: true,
    nodes: {},
    interfaces: {},
    links: {},
    routes: {},
    notes: {},
    groups: {},
    services: {},
  };
}

/** A whole document, defaults filled in. Unknown properties at the top are left behind. */
export function normalizeDocument(document: Topology | Fields): Topology {
  const source = document as Fields;
  const topology = emptyTopology(typeof source.name === "string" ? source.name : "");
  if (typeof source.description === "string") topology.description = source.description;
  if (typeof source.auto_address === "boolean") topology.auto_address = source.auto_address;
  if (typeof source.offloads === "boolean") topology.offloads = source.offloads;
  for (const collection of COLLECTIONS) {
    const items = source[collection];
    if (!isFields(items)) continue;
    const target = topology[collection] as Record<string, unknown>;
    for (const [id, value] of Object.entries(items)) {
      if (isFields(value)) target[id] = normalizeValue(collection, value);
    }
  }
  return topology;
}

/** The document as it is stored and exported. */
export function toWire(topology: Topology): Fields {
  return { format: "topoweb", version: 1, ...topology };
}

/** A new node: drawing a router sets forwarding for both families. */
export function makeNode(kind: NodeKind, name: string, x: number, y: number): TopoNode {
  const router = kind === "router";
  return { ...NODE, kind, name, x, y, forward_ipv4: router, forward_ipv6: router, addresses: [] };
}

export function makeInterface(node: string, name: string): TopoInterface {
  return { ...INTERFACE, node, name, addresses: [] };
}

export function makeLink(a: string, b: string): TopoLink {
  return { kind: "veth", a, b, up: true };
}

export function makeRoute(node: string, prefix: string): TopoRoute {
  return { node, prefix, via: null, device: null, metric: null };
}

export function makeNote(text: string, x: number, y: number): TopoNote {
  return { text, x, y, width: 180, height: 90 };
}

export function makeGroup(name: string, x: number, y: number): TopoGroup {
  return { name, x, y, width: 320, height: 240, color: "blue" };
}

export function makeService<K extends ServiceKind>(
  node: string,
  kind: K,
  options: ServiceOptions[K],
): TopoService {
  return { node, kind, up: true, options } as TopoService;
}
