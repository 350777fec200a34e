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
  addresses: string[];
  lo_up: boolean;
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
