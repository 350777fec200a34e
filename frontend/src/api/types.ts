/** Shapes of `/api/v1`, as docs/protocol.md tells them. */

import type { Topology } from "../doc/model";
import type { Accepted } from "../doc/ops";
import type { Said } from "../doc/said";
import type { Problem } from "../doc/store";

export type Phase =
  | "stopped"
  | "starting"
  | "running"
  | "changing"
  | "stopping"
  | "failed"
  | "cancelled";

export interface Failure extends Said {
  subject: string;
}

export interface LabStatus extends Said {
  phase: Phase;
  generation: number;
  observed_generation: number;
  steps_done: number;
  steps_total: number;
  failures: Failure[];
  since: number | null; // epoch seconds: it runs since then
}

/** An administrator's leave to reach the outside; `until` in epoch seconds. */
export interface UplinkGrant {
  granted: boolean;
  until: number | null;
  reason: string;
}

export function isGranted(grant: UplinkGrant | null | undefined): boolean {
  return grant?.granted === true;
}

export interface Tool {
  program: string;
  package: string; // Debian's
  ok: boolean;
}

export interface FrrNeighbour {
  protocol: "ospf" | "bgp" | "rip";
  address: string;
  router_id: string | null;
  state: string;
  interface: string | null;
  since: number | null; // epoch seconds
}

export interface FrrRoute {
  prefix: string;
  via: string | null;
  device: string | null;
  protocol: string;
  selected: boolean;
}

export interface FrrState {
  daemons: string[];
  neighbours: FrrNeighbour[];
  routes: FrrRoute[];
}

export interface Lab {
  id: number;
  name: string;
  seq: number;
  generation: number;
  running: boolean;
  owner: string;
  created: string;
  updated: string;
  status: LabStatus;
  uplink?: UplinkGrant | null;
}

export interface Feature {
  ok: boolean;
  reason: string;
}

export interface SessionInfo {
  user: { id: number; name: string } | null;
  csrf: string;
  features: Record<string, Feature>;
  mode: string;
}

export interface PlanStep {
  command: string;
  reason: string;
  subject: string;
}

export type ProbeKind = "ping" | "tcp" | "traceroute";

export interface ProbeRequest {
  kind: ProbeKind;
  source: string; // node id
  target: string; // node id or address
  port?: number;
  count?: number;
}

export interface ProbeResult {
  verdict: "reply" | "no_answer" | "unreachable" | "refused" | "error" | "connected";
  message?: string;
  sent?: number;
  received?: number;
  rtt_ms?: number[];
  ttl?: number | null;
  hops?: { ttl: number; address: string | null; rtt_ms: number | null }[];
  output?: string;
}

export interface Probe {
  id: number;
  kind: ProbeKind;
  source: string;
  target: string;
  port: number | null;
  count: number;
  status: "waiting" | "running" | "done" | "failed";
  result: ProbeResult | null;
}

export interface Snapshot {
  seq: number;
  document: Topology;
  problems: Problem[];
}

/** Either what followed, at most 500 operations, or the document when that is no longer kept. */
export interface Missed {
  seq: number;
  operations: Accepted[] | null;
  document: Topology | null;
}

export type OperationAnswer = Accepted & { problems?: Problem[] };

export interface DecodedField {
  name: string;
  label: string;
  value: string;
  start: number;
  end: number;
  fields: DecodedField[];
  filter?: string; // an expression that lets packets with this value through
}

export interface DecodedLayer {
  protocol: string;
  start: number;
  end: number;
  summary: string;
  fields: DecodedField[];
  filter?: string;
}

export interface Template {
  id: string;
  name: Record<string, string>;
  summary: Record<string, string>;
  text: Record<string, string>;
  document: Topology;
}

export interface Revision {
  number: number;
  name: string;
  seq: number;
  created: string;
}
