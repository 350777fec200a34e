import { describe, expect, it } from "vitest";
import { copy, paste, readClip } from "./clipboard";
import { makeInterface, makeNode, makeService, normalizeDocument, toWire } from "./defaults";
import { Deriver } from "./derive";
import { removeAll } from "./edits";
import { networkOf, parsePrefix } from "./ipv4";
import { isLearnedRoute, learnedAddresses } from "./learned";
import type { LiveNode, LiveService, LiveView, LiveWarning } from "./live";
import type { Topology } from "./model";
import { applyChanges, invert, predict, remove } from "./ops";
import { addService, setDhcp, suggestRange, whyNotServe } from "./serviceEdits";
import { SERVICE_KINDS, serviceSummary } from "./services";
import { formatLines, NEIGHBOURS, NETWORKS, PREFIXES, parseLines, RECORDS } from "./serviceText";
import { drawing } from "./testing";

/** h1 10.0.0.1/24 with an address for IPv6, a switch, and a DHCP server on h1. */
function served(): Topology {
  const topology = drawing();
  const port = topology.interfaces.i1;
  if (port) topology.interfaces.i1 = { ...port, addresses: ["10.0.0.1/24", "2001:db8::1/64"] };
  topology.services.s1 = makeService("n1", "dhcp-server", {
    interface: "i1",
    first: "10.0.0.100",
    last: "10.0.0.199",
    lease: 600,
    gateway: null,
    dns: null,
  });
  topology.services.s2 = makeService("n1", "http", { port: 80, text: "" });
  return topology;
}

function liveNode(change: Partial<LiveNode> = {}): LiveNode {
  const eth0 = {
    id: "i1",
    kind: "veth",
    state: "up" as const,
    mac: null,
    mtu: 1500,
    master: null,
    addresses: ["10.0.0.1/24"],
    stp: null,
    index: 2,
  };
  return {
    present: true,
    forward_ipv4: false,
    forward_ipv6: false,
    interfaces: { eth0 },
    routes: [],
    neighbours: [],
    fdb: [],
    drift: [],
    ...change,
  };
}

describe("a document", () => {
  it("without services has none, and its interfaces ask no DHCP server", () => {
    const { services: _, ...old } = drawing();
    const topology = normalizeDocument({
      ...old,
      interfaces: { i1: { node: "n1", name: "eth0" } },
    });
    expect(topology.services).toEqual({});
    expect(topology.interfaces.i1?.dhcp).toBe(false);
    expect(toWire(topology)).toHaveProperty("services", {});
  });

  it("fills in the options that were left out", () => {
    const services = { s1: { node: "n1", kind: "dns", options: { domain: "school" } } };
    expect(normalizeDocument({ ...drawing(), services }).services.s1).toEqual({
      node: "n1",
      kind: "dns",
      up: true,
      options: { domain: "school", hosts: true, records: [], forward: false },
    });
  });
});

describe("services", () => {
  it("go with their node and come back with it", () => {
    const before = served();
    const { topology, changes } = predict(before, remove("nodes", "n1"));
    expect(topology.services).toEqual({});
    const back = invert(changes);
    expect(back && predict(topology, back).topology).toEqual(before);
    expect(removeAll(before, ["n1", "s1"])).toEqual(remove("nodes", "n1"));
    expect(removeAll(before, ["s1"])).toEqual(remove("services", "s1"));
  });

  it("are copied with their node and follow the copies of its interfaces", () => {
    const topology = served();
    const clip = readClip(JSON.stringify(copy(topology, new Set(["n1", "n2"]))));
    const pasted = clip && paste(topology, clip, { x: 40, y: 40 });
    const after = pasted && predict(topology, pasted.operation).topology;
    const fresh = Object.entries(after?.services ?? {}).filter(
      ([id]) => !(id in topology.services),
    );
    const server = fresh.map(([, one]) => one).find((one) => one.kind === "dhcp-server");
    const port = server?.kind === "dhcp-server" ? server.options.interface : "";
    expect(fresh).toHaveLength(2);
    expect(after?.interfaces[port]?.node).toBe(server?.node);
    expect(port).not.toBe("i1");
  });

  it("stay behind when the interface they are bound to does", () => {
    const clip = copy(served(), new Set(["n1"]));
    expect(Object.keys(clip?.content.services ?? {})).toEqual(["s2"]);
  });

  it("begin with what the drawing tells, in every kind", () => {
    const topology = served();
    for (const kind of SERVICE_KINDS) {
      const added = addService({ ...topology, services: {} }, "n1", kind);
      expect(added, kind).not.toBeNull();
      const after = added && predict(topology, added.operation).topology;
      expect(after?.services[added?.id ?? ""]).toMatchObject({ node: "n1", kind, up: true });
    }
    const server = addService({ ...topology, services: {} }, "n1", "dhcp-server");
    expect(server?.operation).toMatchObject({
      value: { options: { interface: "i1", first: "10.0.0.100", last: "10.0.0.199" } },
    });
    expect(addService(served(), "n1", "http")?.operation).toMatchObject({
      value: { options: { port: 8080 } },
    });
    const frr = addService(topology, "n1", "frr");
    expect(frr?.operation).toMatchObject({
      value: { options: { ospf: [{ prefix: "10.0.0.0/24", area: "0.0.0.0" }] } },
    });
  });

  it("are refused where they could not work, with the reason", () => {
    const topology = drawing();
    topology.nodes.up = makeNode("uplink", "up1", 0, 0);
    expect(whyNotServe(topology, "n2", "dhcp-server")).toBe("services.needs.dhcp-server");
    expect(whyNotServe(topology, "n1", "router-advertisements")).not.toBeNull();
    expect(whyNotServe(topology, "n1", "http")).toBeNull();
    expect(whyNotServe(served(), "n1", "dhcp-server")).not.toBeNull(); // its only interface has one
    expect(whyNotServe(topology, "up", "http")).toBe("services.notOnUplink");
    expect(addService(topology, "up", "http")).toBeNull();
  });

  it("are told apart by a summary", () => {
    const { services } = served();
    const texts = Object.values(services).map((one) => serviceSummary(one, () => "eth0"));
    expect(texts).toEqual(["eth0 10.0.0.100–10.0.0.199", ":80"]);
  });
});

describe("suggestRange", () => {
  const free = () => ({ ...drawing(), interfaces: {}, routes: {}, links: {} });
  const drawn = (...addresses: string[]) => ({
    ...free(),
    interfaces: { i9: { ...makeInterface("n1", "eth9"), addresses } },
  });

  it.each([
    ["10.0.1.1/24", "10.0.1.100", "10.0.1.199"],
    ["192.168.0.1/16", "192.168.0.100", "192.168.0.199"],
    ["10.0.1.1/28", "10.0.1.8", "10.0.1.14"],
    ["10.0.1.1/30", "10.0.1.2", "10.0.1.2"],
  ])("%s → %s to %s", (prefix, first, last) => {
    expect(suggestRange(drawn(prefix), prefix)).toEqual({ first, last });
  });

  it("leaves out what is drawn, and says when nothing is left", () => {
    const range = suggestRange(
      drawn("10.0.1.1/24", "10.0.1.100/24", "10.0.1.150/24"),
      "10.0.1.1/24",
    );
    expect(range).toEqual({ first: "10.0.1.101", last: "10.0.1.149" });
    expect(suggestRange(drawn("10.0.1.2/30"), "10.0.1.2/30")?.first).toBe("10.0.1.1");
    expect(suggestRange(drawn("10.0.1.1/30", "10.0.1.2/30"), "10.0.1.1/30")).toBeNull();
    for (const bad of ["10.0.1.1/31", "10.0.1.1/32", "2001:db8::1/64"]) {
      expect(suggestRange(free(), bad), bad).toBeNull();
    }
  });

  it("reads prefixes as numbers", () => {
    expect(parsePrefix("255.255.255.255/0")).toEqual({
      address: 2 ** 32 - 1,
      network: 0,
      length: 0,
    });
    expect(parsePrefix("10.0.0.256/24")).toBeNull();
    expect(networkOf("172.16.5.9/20")).toBe("172.16.0.0/20");
  });
});

describe("setDhcp", () => {
  it("takes IPv4 addresses and the default route by them along, in one undo step", () => {
    const before = drawing();
    before.interfaces.i1 = {
      ...makeInterface("n1", "eth0"),
      addresses: ["10.0.0.1/24", "2001:db8::1/64"],
    };
    before.routes = {
      r1: { node: "n1", prefix: "0.0.0.0/0", via: "10.0.0.254", device: null, metric: null },
      r2: { node: "n1", prefix: "0.0.0.0/0", via: "10.9.0.1", device: null, metric: null },
      r3: { node: "n1", prefix: "10.7.0.0/16", via: "10.0.0.254", device: null, metric: null },
    };
    const operation = setDhcp(before, "i1", true);
    const { topology, changes } = predict(before, operation ?? remove("nodes", "n1"));
    expect(topology.interfaces.i1).toMatchObject({ dhcp: true, addresses: ["2001:db8::1/64"] });
    expect(Object.keys(topology.routes)).toEqual(["r2", "r3"]);
    expect(applyChanges(before, changes)).toEqual(topology);
    const back = invert(changes);
    expect(back && predict(topology, back).topology.routes).toEqual(before.routes);
  });
});

describe("lists as text", () => {
  it("are read as they are written", () => {
    const neighbours = [{ address: "10.0.12.2", asn: 65002 }];
    expect(parseLines(NEIGHBOURS, formatLines(NEIGHBOURS, neighbours))).toEqual({
      values: neighbours,
    });
    expect(parseLines(NETWORKS, "10.0.1.0/24\n\n 10.0.2.0/24   0.0.0.1 ")).toEqual({
      values: [
        { prefix: "10.0.1.0/24", area: "0.0.0.0" },
        { prefix: "10.0.2.0/24", area: "0.0.0.1" },
      ],
    });
  });

  it("name the first line that cannot be read", () => {
    expect(parseLines(PREFIXES, "10.0.1.0/24\n10.0.2.0")).toEqual({ wrong: "10.0.2.0" });
    expect(parseLines(RECORDS, "www")).toEqual({ wrong: "www" });
    expect(parseLines(NEIGHBOURS, "10.0.12.2 0")).toEqual({ wrong: "10.0.12.2 0" });
    expect(parseLines(NEIGHBOURS, "10.0.12.2 65002 x")).toEqual({ wrong: "10.0.12.2 65002 x" });
  });
});

describe("what was learned", () => {
  it("is what is neither drawn nor drift", () => {
    const topology = drawing();
    const addresses = ["10.0.0.1/24", "10.0.0.117/24", "2001:db8::5/64", "fe80::1/64"];
    const port = liveNode().interfaces.eth0;
    const now = port ? liveNode({ interfaces: { eth0: { ...port, addresses } } }) : liveNode();
    const found = () => learnedAddresses(topology, "n1", now).map(({ address }) => address);
    expect(found()).toEqual(["2001:db8::5/64"]);
    topology.interfaces.i1 = { ...makeInterface("n1", "eth0"), dhcp: true };
    expect(found()).toEqual(["10.0.0.1/24", "10.0.0.117/24", "2001:db8::5/64"]);
    now.drift = [
      { path: "interfaces/eth0/addresses", drawn: [], actual: ["10.0.0.1/24", "2001:db8::5/64"] },
    ];
    expect(found()).toEqual(["10.0.0.117/24"]);
  });

  it("knows routes by who set them", () => {
    const route = { prefix: "10.0.9.0/24", via: null, device: null, metric: null };
    const learned = ["ospf", "bgp", "rip", "dhcp", "ra", "kernel", "static", "topoweb"].filter(
      (proto) => isLearnedRoute({ ...route, proto }),
    );
    expect(learned).toEqual(["ospf", "bgp", "rip", "dhcp", "ra"]);
  });
});

describe("Deriver", () => {
  const view = (node: LiveNode, warning?: LiveWarning): LiveView => ({
    running: true,
    stale: false,
    node: (id) => (id === "n1" ? node : undefined),
    link: () => ({ state: "up", rate_ab: 0, rate_ba: 0, pps_ab: 0, pps_ba: 0 }),
    warningAt: (id) => (id === "l1" ? warning : undefined),
  });
  const service = (state: LiveService["state"]): LiveService => ({
    state,
    message: "",
    since: null,
    restarts: 0,
  });

  it("shows a letter for each service, and how it fares", () => {
    const deriver = new Deriver();
    const topology = served();
    const services = { s1: service("running"), s2: service("failed") };
    const one = deriver.content(topology, view(liveNode({ services })), new Map());
    expect(one.nodes[0]?.badges).toEqual([
      { letter: "D", state: "running" },
      { letter: "H", state: "failed" },
    ]);
    const idle = { ...view(liveNode()), running: false };
    expect(deriver.content(topology, idle, new Map()).nodes[0]?.badges[1]?.state).toBe("drawn");
  });

  it("labels a DHCP client by its lease, and keeps what did not change", () => {
    const deriver = new Deriver();
    const topology = drawing();
    topology.interfaces.i1 = { ...makeInterface("n1", "eth0"), dhcp: true };
    const empty = liveNode({ interfaces: {} });
    const before = deriver.content(topology, view(empty), new Map());
    expect(before.nodes[0]?.label).toBe("DHCP…");
    const leased = view(liveNode());
    const after = deriver.content(topology, leased, new Map());
    expect(after.nodes[0]?.label).toBe("10.0.0.1 DHCP");
    expect(deriver.content(topology, leased, new Map()).nodes[0]).toBe(after.nodes[0]);
  });

  it("raises an alarm on a cable with a warning", () => {
    const deriver = new Deriver();
    const storm = { code: "storm", message: "storm", link: "l1" };
    const calm = deriver.content(drawing(), view(liveNode()), new Map());
    expect(calm.links[0]?.alarm).toBeNull();
    const loud = deriver.content(drawing(), view(liveNode(), storm), new Map());
    expect(loud.links[0]?.alarm).toBe("storm");
  });
});
