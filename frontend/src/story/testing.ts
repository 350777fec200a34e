/** For tests: a ping through a router whose answer is never sent, as the tracer tells it. */

import type { Exchange, Step, Trace, TraceHop, Verdict } from "../api/traces";
import type { DecodedField, DecodedLayer } from "../api/types";
import { emptyTopology, makeInterface, makeLink, makeNode } from "../doc/defaults";
import type { Topology } from "../doc/model";

/** host —c2— net1 —c1— net2; the cables lead away from net2. */
export function threeNodes(): Topology {
  const topology = emptyTopology("no way back");
  topology.nodes.net2 = makeNode("host", "net2", 0, 0);
  topology.nodes.net1 = makeNode("router", "net1", 300, 0);
  topology.nodes.host = makeNode("host", "host", 600, 0);
  for (const [id, node] of [
    ["veth1", "net2"],
    ["veth0", "net1"],
    ["veth2", "net1"],
    ["veth3", "host"],
  ] as const) {
    topology.interfaces[id] = makeInterface(node, id);
  }
  topology.links.c1 = makeLink("veth1", "veth0");
  topology.links.c2 = makeLink("veth2", "veth3");
  return topology;
}

function field(name: string, value: string, fields: DecodedField[] = []): DecodedField {
  return { name, label: name, value, start: 0, end: 1, fields };
}

function layer(protocol: string, fields: DecodedField[], summary = ""): DecodedLayer {
  return { protocol, start: 0, end: 1, summary, fields };
}

export function headersOf(mac: string, ttl: string): DecodedLayer[] {
  const checksum = field("checksum", `0x${ttl}`, [field("checksum_status", `good ${ttl}`)]);
  return [
    layer("Ethernet", [field("source", mac), field("type", "IPv4")]),
    layer("IPv4", [field("version", "4"), field("ttl", ttl), checksum, field("id", "7")]),
    layer("ICMP", [field("type", "8")], "echo request id 1 seq 1"),
  ];
}

export function hop(change: Partial<TraceHop>): TraceHop {
  return {
    time_ns: 0,
    node: "host",
    interface: "veth3",
    direction: "tx",
    link: "",
    along: "ba",
    parent: -1,
    how: "buffer",
    length: 98,
    segments: 1,
    reason: "",
    symbol: "",
    layers: headersOf("02:01", "64"),
    ...change,
  };
}

const behind = headersOf("02:02", "63");

export const HOPS: TraceHop[] = [
  hop({ link: "c2", how: "first" }),
  hop({
    time_ns: 10_000,
    node: "net1",
    interface: "veth2",
    direction: "rx",
    link: "c2",
    parent: 0,
  }),
  hop({ time_ns: 35_900, node: "net1", interface: "veth0", link: "c1", parent: 1, layers: behind }),
  hop({
    time_ns: 40_300,
    node: "net2",
    interface: "veth1",
    direction: "rx",
    link: "c1",
    parent: 2,
    layers: behind,
  }),
];

export const EXCHANGE: Exchange = {
  id: 1,
  kind: "echo",
  source: "10.20.3.2",
  target: "10.20.2.2",
  port: 0,
  request: 7,
  requests: 1,
  replies: 0,
  packets: [7],
  began: 100,
  ended: 100,
  state: "unanswered",
};

const words = (en: string, zh = en) => ({ en, "zh-CN": zh });

export const VERDICT: Verdict = {
  code: "no-return-route",
  kind: "fault",
  node: "net2",
  interface: "veth1",
  text: words("{name:net2} has no route back.", "{name:net2} 没有回程路由。"),
  evidence: [
    {
      witness: "state",
      code: "route-get",
      text: words("The lookup fails."),
      command: "ip route get 10.20.3.2",
      output: "Network is unreachable",
    },
  ],
  remedy: {
    code: "add-route",
    text: words("Give {name:net2} the way back"),
    node: "net2",
    commands: ["ip route add 10.20.3.0/24 via 10.20.2.1"],
    operation: {
      kind: "add",
      collection: "routes",
      id: "rb",
      value: { node: "net2", prefix: "10.20.3.0/24", via: "10.20.2.1" },
    },
  },
  seen: false,
  packet: 7,
  reason: "",
  symbol: "",
};

export const TRACE: Trace = {
  packet: 7,
  hops: HOPS,
  outer: 0,
  exchange: EXCHANGE,
  verdict: null,
};

function step(change: Partial<Step>): Step {
  return {
    node: "host",
    interface: "veth3",
    direction: "tx",
    link: "c2",
    along: "ba",
    action: "send",
    text: words("by veth3"),
    leg: "there",
    ...change,
  };
}

export const STEPS: Step[] = [
  step({}),
  step({ node: "net1", interface: "veth2", direction: "rx", action: "forward" }),
  step({ node: "net1", interface: "veth0", link: "c1", action: "forward" }),
  step({ node: "net2", interface: "veth1", direction: "rx", link: "c1", action: "deliver" }),
  step({ node: "net2", interface: "", direction: "end", link: "", action: "deliver" }),
  step({ node: "net2", interface: "", direction: "end", link: "", action: "drop", leg: "back" }),
];
