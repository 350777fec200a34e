/** What the kernel holds, as the LIVE stream of `docs/protocol.md` tells it. */

import type { Said } from "./said";

export type InterfaceState = "up" | "down" | "off" | "nocarrier" | "unknown" | "missing";
export type LinkState = "up" | "down" | "off" | "blocked" | "missing";

export interface LiveInterface {
  id: string | null; // null: the drawing does not know it
  kind: string;
  state: InterfaceState;
  mac: string | null;
  mtu: number;
  master: string | null;
  addresses: string[];
  stp: string | null;
  index: number;
}

export interface LiveRoute {
  prefix: string;
  via: string | null;
  device: string | null;
  metric: number | null;
  proto: string;
}

export interface LiveNeighbour {
  address: string;
  mac: string | null;
  device: string;
  state: string;
}

export interface LiveFdbEntry {
  mac: string;
  port: string;
  age: number | null;
}

export interface Drift {
  path: string;
  drawn: unknown;
  actual: unknown;
}

export type ServiceState = "starting" | "running" | "failed" | "ended" | "stopped";

export interface LiveService extends Said {
  state: ServiceState;
  since: number | null; // epoch seconds
  restarts: number;
}

/** Something is wrong that is no drift: a storm, a limit. */
export interface LiveWarning {
  code: string;
  message: string; // English; the code has the translation
  link?: string | null;
  node?: string | null;
  params?: Record<string, unknown>;
}

export interface LiveNode {
  present: boolean;
  forward_ipv4: boolean;
  forward_ipv6: boolean;
  interfaces: Record<string, LiveInterface>;
  routes: LiveRoute[];
  neighbours: LiveNeighbour[];
  fdb: LiveFdbEntry[];
  drift: Drift[];
  services?: Record<string, LiveService>;
  sandbox?: boolean;
}

export interface LiveLink {
  state: LinkState;
  rate_ab: number; // bit/s
  rate_ba: number;
  pps_ab: number;
  pps_ba: number;
}

export interface LivePayload {
  rev: number;
  full: boolean;
  time: number;
  nodes: Record<string, LiveNode | null>;
  links: Record<string, LiveLink | null>;
  warnings?: Record<string, LiveWarning | null>; // by code and object
}

/** Read access to the latest state, whoever keeps it. */
export interface LiveView {
  readonly running: boolean; // the lab is wanted in the kernel
  readonly stale: boolean; // nothing heard for too long
  node(id: string): LiveNode | undefined;
  link(id: string): LiveLink | undefined;
  /** What is wrong on a cable or a node; undefined when nothing is. */
  warningAt(id: string): LiveWarning | undefined;
}

/** A rate as people read it: "6.8 Mb/s". Empty under 1 bit/s. */
export function formatRate(bitsPerSecond: number): string {
  if (bitsPerSecond < 1) return "";
  const units = ["b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"];
  let value = bitsPerSecond;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
