/** The drawing, as `docs/protocol.md` writes it. Flat collections by id. */

import type { TopoService } from "./services";

export type NodeKind = "host" | "router" | "switch" | "uplink";

export interface TopoNode {
  kind: NodeKind;
  name: string;
  x: number;
  y: number;
  forward_ipv4: boolean;
  forward_ipv6: boolean;
  stp: boolean;
  ageing: number;
  priority: number; // of the spanning tree
  vlan_filtering: boolean;
  addresses: string[];
  lo_up: boolean;
}

export type InterfaceKind = "port" | "macvlan" | "ipvlan" | "vlan";

/** The options of all kinds; each interface has those of its own. */
export interface InterfaceOptions {
  mode?: string; // macvlan, ipvlan
  flag?: string; // ipvlan
  id?: number; // vlan
}

/** What an interface is as a port of its switch's bridge. */
export interface BridgePort {
  hairpin: boolean;
  isolated: boolean;
  learning: boolean;
  flood: boolean;
  cost: number;
  priority: number;
  untagged: number | null;
  tagged: number[];
}

export interface TopoInterface {
  node: string;
  name: string;
  mac: string | null;
  mtu: number;
  up: boolean;
  addresses: string[];
  bridged: boolean;
  dhcp: boolean; // IPv4 from a DHCP server
  kind: InterfaceKind;
  parent: string | null; // of a child: the interface that it hangs on
  options: InterfaceOptions;
  bridge_port: BridgePort;
}

export interface TopoLink {
  kind: "veth";
  a: string;
  b: string;
  up: boolean;
}

export interface TopoRoute {
  node: string;
  prefix: string;
  via: string | null;
  device: string | null;
  metric: number | null;
}

export interface TopoNote {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface TopoGroup {
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
  color: string;
}

export interface Topology {
  name: string;
  description: string;
  auto_address: boolean;
  offloads: boolean;
  nodes: Record<string, TopoNode>;
  interfaces: Record<string, TopoInterface>;
  links: Record<string, TopoLink>;
  routes: Record<string, TopoRoute>;
  notes: Record<string, TopoNote>;
  groups: Record<string, TopoGroup>;
  services: Record<string, TopoService>;
}

export type Collection =
  | "nodes"
  | "interfaces"
  | "links"
  | "routes"
  | "notes"
  | "groups"
  | "services";
