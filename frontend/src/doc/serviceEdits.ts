/** Services drawn with a useful beginning, and DHCP as an interface's way to its address. */

import { makeService } from "./defaults";
import { indexOf } from "./graph";
import { newId } from "./ids";
import { contains, formatAddress, networkOf, parseAddress, parsePrefix } from "./ipv4";
import type { Topology } from "./model";
import { add, batch, type Operation, remove, type SimpleOperation, set } from "./ops";
import { interfaceOf, type ServiceKind, type ServiceOptions, type TopoService } from "./services";

const POOL = 100; // addresses in a suggested range
const POOL_OFFSET = 100; // 10.0.1.100 and on, where the subnet is large enough

export interface Range {
  first: string;
  last: string;
}

function drawnAddresses(topology: Topology): string[] {
  return [...Object.values(topology.interfaces), ...Object.values(topology.nodes)].flatMap(
    ({ addresses }) => addresses,
  );
}

/** Addresses to lend in the subnet of `prefix`, none of them drawn; null when there are none. */
export function suggestRange(topology: Topology, prefix: string): Range | null {
  const subnet = parsePrefix(prefix);
  if (!subnet || subnet.length > 30) return null;
  const taken = new Set(drawnAddresses(topology).map((one) => parsePrefix(one)?.address));
  const size = 2 ** (32 - subnet.length);
  const [lowest, highest] = [subnet.network + 1, subnet.network + size - 2];
  const begin = subnet.network + (size > 2 * POOL_OFFSET ? POOL_OFFSET : Math.floor(size / 2));
  const runFrom = (start: number): Range | null => {
    let first = start;
    while (first <= highest && taken.has(first)) first += 1;
    let last = first;
    while (last < highest && last - first < POOL - 1 && !taken.has(last + 1)) last += 1;
    return first > highest ? null : { first: formatAddress(first), last: formatAddress(last) };
  };
  return runFrom(begin) ?? runFrom(lowest);
}

function servicesOn(topology: Topology, node: string): TopoService[] {
  const ids = indexOf(topology).servicesOf.get(node) ?? [];
  return ids.flatMap((id) => topology.services[id] ?? []);
}

/** The node's first interface without a service of `kind` whose address `fits`, and that address. */
function portWith(
  topology: Topology,
  node: string,
  kind: ServiceKind,
  fits: (address: string) => boolean,
) {
  const drawn = servicesOn(topology, node).filter((service) => service.kind === kind);
  const served = new Set(drawn.map(interfaceOf));
  for (const id of indexOf(topology).interfacesOf.get(node) ?? []) {
    const address = served.has(id) ? undefined : topology.interfaces[id]?.addresses.find(fits);
    if (address !== undefined) return { id, address };
  }
  return null;
}

/** The first TCP or UDP port from `first` on at which nothing of the node is drawn to listen. */
function freePort(topology: Topology, node: string, first: number): number {
  const taken = new Set(
    servicesOn(topology, node).map(({ options }) => ("port" in options ? options.port : 0)),
  );
  let port = first;
  while (taken.has(port)) port = port < 1024 ? port + 8000 : port + 1;
  return port;
}

type Maker<K extends ServiceKind> = (topology: Topology, node: string) => ServiceOptions[K] | null;

/** The options a new service begins with; null: the node lacks what it needs. */
const BEGINNINGS: { [K in ServiceKind]: Maker<K> } = {
  "dhcp-server": (topology, node) => {
    const port = portWith(
      topology,
      node,
      "dhcp-server",
      (one) => suggestRange(topology, one) !== null,
    );
    const range = port && suggestRange(topology, port.address);
    return range && { interface: port.id, ...range, lease: 600, gateway: null, dns: null };
  },
  dns: () => ({ domain: "lab", hosts: true, records: [], forward: false }),
  http: (topology, node) => ({ port: freePort(topology, node, 80), text: "" }),
  echo: (topology, node) => ({ port: freePort(topology, node, 7), protocol: "both" }),
  iperf3: (topology, node) => ({ port: freePort(topology, node, 5201) }),
  "router-advertisements": (topology, node) => {
    const port = portWith(topology, node, "router-advertisements", (one) =>
      /^(?!fe80).*:.*\/64$/i.test(one),
    );
    return port && { interface: port.id, dns: null };
  },
  frr: (topology, node) => {
    const ports = indexOf(topology).interfacesOf.get(node) ?? [];
    const addresses = ports.flatMap((id) => topology.interfaces[id]?.addresses ?? []);
    const networks = new Set(addresses.flatMap((one) => networkOf(one) ?? []));
    const ospf = Array.from(networks, (prefix) => ({ prefix, area: "0.0.0.0" }));
    return { router_id: null, ospf, bgp: null, rip: [], redistribute: [], config: "" };
  },
  command: () => ({ line: "while sleep 5; do date; done" }),
};

/** Why a node cannot have a service of that kind, as an i18n key; null when it can. */
export function whyNotServe(topology: Topology, node: string, kind: ServiceKind): string | null {
  if (topology.nodes[node]?.kind === "uplink") return "services.notOnUplink";
  return BEGINNINGS[kind](topology, node) === null ? `services.needs.${kind}` : null;
}

/** A new service with what can be told from the drawing; null when the node lacks what it needs. */
export function addService(
  topology: Topology,
  node: string,
  kind: ServiceKind,
): { operation: Operation; id: string } | null {
  const options = BEGINNINGS[kind](topology, node);
  if (options === null || whyNotServe(topology, node, kind) !== null) return null;
  const id = newId("services");
  return { operation: add("services", id, makeService(node, kind, options)), id };
}

/**
 * Switch DHCP of an interface on or off. What DHCP will bring goes from the drawing: its IPv4
 * addresses, and the node's IPv4 default routes by way of them.
 */
export function setDhcp(topology: Topology, port: string, dhcp: boolean): Operation | null {
  const one = topology.interfaces[port];
  if (!one) return null;
  if (!dhcp) return set("interfaces", port, { dhcp });
  const subnets = one.addresses.flatMap((address) => parsePrefix(address) ?? []);
  const ipv6 = one.addresses.filter((address) => parsePrefix(address) === null);
  const operations: SimpleOperation[] = [set("interfaces", port, { dhcp, addresses: ipv6 })];
  for (const id of indexOf(topology).routesOf.get(one.node) ?? []) {
    const route = topology.routes[id];
    const hop = route?.via == null ? null : parseAddress(route.via);
    const through = hop !== null && subnets.some((subnet) => contains(subnet, hop));
    if (route?.prefix === "0.0.0.0/0" && through) operations.push(remove("routes", id));
  }
  return batch(operations);
}
