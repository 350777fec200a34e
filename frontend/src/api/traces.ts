/** Shapes of docs/protocol.md, "Traces and verdicts". */

import type { Operation } from "../doc/ops";
import type { DecodedLayer } from "./types";

/** A text by language; nodes stand in it as `{name:<id>}`. */
export type Wording = Record<string, string>;

export interface Evidence {
  witness: "hops" | "reason" | "state" | "rule" | "counters";
  code: string;
  text: Wording;
  command: string;
  output: string;
}

export interface Remedy {
  code: string;
  text: Wording;
  node: string;
  commands: string[];
  operation: Operation | null;
}

export type VerdictKind = "delivered" | "fault" | "expected" | "noise" | "unknown";

export interface Verdict {
  code: string;
  kind: VerdictKind;
  node: string; // where it ended
  interface: string;
  text: Wording;
  evidence: Evidence[];
  remedy: Remedy | null;
  seen: boolean; // the kernel recorded the end; else it follows from state and silence
  packet: number;
  reason: string; // the kernel's own words
  symbol: string;
}

export interface TraceHop {
  time_ns: number; // since the first hop
  node: string;
  interface: string;
  direction: "rx" | "tx" | "drop";
  link: string;
  along: "ab" | "ba";
  parent: number; // index of the hop before; -1: none
  how: "first" | "buffer" | "content" | "nat" | "tunnel" | "inferred";
  length: number;
  segments: number; // of a GSO super-packet
  reason: string;
  symbol: string;
  layers: DecodedLayer[];
}

export interface Exchange {
  id: number;
  kind: "arp" | "nd" | "echo" | "tcp" | "dhcp" | "dns" | "udp";
  source: string;
  target: string;
  port: number;
  title?: string; // the name that was asked for, of DNS
  request: number; // packet
  requests: number;
  replies: number;
  packets: number[]; // oldest first
  began: number; // s
  ended: number;
  state: "open" | "answered" | "unanswered" | "refused";
  verdict?: Verdict | null;
}

/** A dry run over the state as it would be with the remedy in place. */
export interface DryRun {
  steps: Step[];
  verdict: Verdict;
}

export interface Trace {
  packet: number;
  hops: TraceHop[];
  more?: number; // hops that are left out
  outer: number;
  exchange: Exchange | null;
  verdict: Verdict | null;
  mended?: DryRun | null; // with the verdict's remedy in place
}

/** A packet that ended where it should not, or for a reason worth a word. */
export interface PacketEnd {
  packet: number;
  time: number; // s
  node: string;
  interface: string;
  link: string; // "": not on a cable
  direction: "ab" | "ba";
  verdict: Verdict;
  repeated?: number;
}

/** Events that were not recorded. */
export interface Unseen {
  hops: number;
  drops: number;
  sampled: number;
}

export interface Step {
  node: string;
  interface: string;
  direction: "rx" | "tx" | "end";
  link: string;
  along: "ab" | "ba";
  action: "send" | "forward" | "bridge" | "deliver" | "reply" | "resolve" | "drop";
  text: Wording;
  leg: "there" | "back";
}

export interface TraceRequest {
  source: string; // node
  target: string; // node or address
  protocol: "icmp" | "tcp" | "udp";
  port: number | null;
}

export type TraceMessage =
  | { type: "dry"; steps: Step[]; verdict: Verdict; tier: string }
  | { type: "armed" }
  | { type: "trace"; trace: Trace }
  | {
      type: "verdict";
      exchange: Exchange | null;
      verdict: Verdict;
      agree: boolean;
      differs: number | null; // first step of the dry run that was not seen
      mended?: DryRun | null;
    };
