/** What a node can serve, and the options of each kind (`core/topology/services/`). */

export interface DnsRecord {
  name: string;
  address: string;
}

export interface OspfNetwork {
  prefix: string;
  area: string; // dotted quad
}

export interface BgpNeighbour {
  address: string;
  asn: number;
}

export interface Bgp {
  asn: number;
  neighbours: BgpNeighbour[];
  networks: string[];
}

export interface ServiceOptions {
  "dhcp-server": {
    interface: string; // interface id
    first: string;
    last: string;
    lease: number; // seconds
    gateway: string | null; // null: the interface's own address
    dns: string | null;
  };
  dns: { domain: string; hosts: boolean; records: DnsRecord[]; forward: boolean };
  http: { port: number; text: string };
  echo: { port: number; protocol: "both" | "tcp" | "udp" };
  iperf3: { port: number };
  "router-advertisements": { interface: string; dns: string | null };
  frr: {
    router_id: string | null;
    ospf: OspfNetwork[];
    bgp: Bgp | null;
    rip: string[];
    redistribute: string[];
    config: string;
  };
  command: { line: string };
}

export type ServiceKind = keyof ServiceOptions;

/** A service of one kind, or of any. */
export type TopoService<K extends ServiceKind = ServiceKind> = {
  [Kind in K]: { node: string; kind: Kind; up: boolean; options: ServiceOptions[Kind] };
}[K];

/** Options that may be left out, as the server fills them in. */
export const SERVICE_DEFAULTS: { [K in ServiceKind]: Partial<ServiceOptions[K]> } = {
  "dhcp-server": { lease: 600, gateway: null, dns: null },
  dns: { domain: "lab", hosts: true, records: [], forward: false },
  http: { port: 80, text: "" },
  echo: { port: 7, protocol: "both" },
  iperf3: { port: 5201 },
  "router-advertisements": { dns: null },
  frr: { router_id: null, ospf: [], bgp: null, rip: [], redistribute: [], config: "" },
  command: {},
};

/** All kinds, in the order in which they are offered. */
export const SERVICE_KINDS = Object.keys(SERVICE_DEFAULTS) as ServiceKind[];

/** The letter of a service's badge: beside colour and shape, what tells it on the canvas. */
export const SERVICE_LETTER: Record<ServiceKind, string> = {
  "dhcp-server": "D",
  dns: "N",
  http: "H",
  echo: "E",
  iperf3: "I",
  "router-advertisements": "A",
  frr: "F",
  command: "C",
};

export function isServiceKind(value: unknown): value is ServiceKind {
  return typeof value === "string" && Object.hasOwn(SERVICE_DEFAULTS, value);
}

/** The interface that a service is bound to; null for those that serve the whole node. */
export function interfaceOf(service: TopoService): string | null {
  return "interface" in service.options ? service.options.interface : null;
}

/** A copy of a service for another node; `port` stands for the interface it was bound to. */
export function movedTo(service: TopoService, node: string, port: string | null): TopoService {
  const options = port === null ? service.options : { ...service.options, interface: port };
  return { ...service, node, options } as TopoService;
}

/** What tells one service from another of its kind, as the network writes it. */
export function serviceSummary(service: TopoService, portName: (id: string) => string): string {
  switch (service.kind) {
    case "dhcp-server":
      return `${portName(service.options.interface)} ${service.options.first}–${service.options.last}`;
    case "router-advertisements":
      return portName(service.options.interface);
    case "dns":
      return service.options.domain;
    case "frr":
      return protocolsOf(service.options).join(" ");
    case "command":
      return service.options.line;
    default:
      return `:${service.options.port}`;
  }
}

/** The routing protocols that typed options switch on. */
function protocolsOf({ ospf, bgp, rip }: ServiceOptions["frr"]): string[] {
  const running = { OSPF: ospf.length > 0, BGP: bgp !== null, RIP: rip.length > 0 };
  return Object.entries(running).flatMap(([name, on]) => (on ? [name] : []));
}
