import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  emptyTopology,
  makeInterface,
  makeLink,
  makeNode,
  makeRoute,
  makeService,
} from "./defaults";
import { connect, insertIntoLink, removeAll } from "./edits";
import { indexOf } from "./graph";
import { add, applyChanges, invert, predict, remove, set } from "./ops";
import { drawing, operations } from "./testing";

describe("predict", () => {
  it("removes with a node its interfaces, cables and routes, dependants first", () => {
    const { topology, changes } = predict(drawing(), remove("nodes", "n1"));
    expect(changes.map((change) => change.op === "remove" && change.id)).toEqual([
      "l1",
      "r1",
      "i1",
      "n1",
    ]);
    expect(Object.keys(topology.interfaces)).toEqual(["i2"]);
  });

  it("takes along what is there at that moment of a batch, once", () => {
    const iperf3 = makeService("n1", "iperf3", { port: 5201 });
    const before = predict(drawing(), add("services", "s1", iperf3)).topology;
    const operations = [
      remove("services", "s1"),
      add("services", "s2", iperf3),
      remove("nodes", "n1"),
    ];
    const { topology, changes } = predict(before, { kind: "batch", operations });
    expect(changes.filter(({ op }) => op === "remove")).toHaveLength(6); // s1, l1, r1, s2, i1, n1
    expect(topology.services).toEqual({});
    expect(indexOf(topology).servicesOf.get("n1")).toBeUndefined();
  });

  it("keeps untouched collections and objects as they are", () => {
    const before = drawing();
    const { topology } = predict(before, set("nodes", "n1", { x: 50 }));
    expect(topology.interfaces).toBe(before.interfaces);
    expect(topology.nodes.n2).toBe(before.nodes.n2);
    expect(before.nodes.n1?.x).toBe(0);
  });

  it("changes nothing for what is not there", () => {
    expect(predict(drawing(), set("nodes", "nope", { x: 1 })).changes).toEqual([]);
    expect(predict(drawing(), add("nodes", "n1", makeNode("host", "x", 0, 0))).changes).toEqual([]);
  });

  it("is what applyChanges does with its changes, and its inverse restores", () => {
    fc.assert(
      fc.property(fc.array(operations, { maxLength: 12 }), (list) => {
        let topology = drawing();
        for (const operation of list) {
          const next = predict(topology, operation);
          expect(applyChanges(topology, next.changes)).toEqual(next.topology);
          const inverse = invert(next.changes);
          if (inverse) expect(predict(next.topology, inverse).topology).toEqual(topology);
          else expect(next.topology).toEqual(topology);
          topology = next.topology;
        }
      }),
    );
  });
});

describe("edits", () => {
  it("connects with the next free port names", () => {
    const topology = drawing();
    const { topology: after } = predict(topology, {
      kind: "batch",
      operations: connect(topology, "n1", "n2"),
    });
    const names = indexOf(after)
      .interfacesOf.get("n1")
      ?.map((id) => after.interfaces[id]?.name);
    expect(names).toEqual(["eth0", "eth1"]);
    expect(
      indexOf(after)
        .interfacesOf.get("n2")
        ?.map((id) => after.interfaces[id]?.name),
    ).toEqual(["p1", "p2"]);
  });

  it("inserts a node into a cable and keeps the old interfaces", () => {
    const topology = drawing();
    const inserted = insertIntoLink(topology, "l1", "switch", 5, 6);
    if (!inserted) throw new Error("not inserted");
    const after = predict(topology, inserted.operation).topology;
    expect(after.links.l1).toBeUndefined();
    expect(Object.keys(after.links)).toHaveLength(2);
    expect(after.interfaces.i1).toBe(topology.interfaces.i1);
    expect(after.nodes[inserted.node]).toMatchObject({ kind: "switch", x: 5, y: 6 });
  });

  it("removes a cable with its ports, but keeps a port that a route leaves by", () => {
    const operation = removeAll(drawing(), ["l1"]);
    if (!operation) throw new Error("nothing to remove");
    const after = predict(drawing(), operation).topology;
    expect(after.links).toEqual({});
    expect(Object.keys(after.interfaces)).toEqual(["i1"]);
  });

  it("does not remove twice what a node takes along", () => {
    const operation = removeAll(drawing(), ["n1", "i1", "l1", "r1"]);
    expect(operation).toEqual({ kind: "remove", collection: "nodes", id: "n1" });
  });

  it("makes a router forward", () => {
    expect(makeNode("router", "r1", 0, 0)).toMatchObject({
      forward_ipv4: true,
      forward_ipv6: true,
    });
    expect(makeNode("host", "h1", 0, 0)).toMatchObject({ forward_ipv4: false });
  });

  it("indexes what belongs together", () => {
    const topology = emptyTopology();
    topology.nodes.n = makeNode("host", "h", 0, 0);
    topology.interfaces.i = makeInterface("n", "eth0");
    topology.interfaces.j = makeInterface("n", "eth1");
    topology.links.l = makeLink("i", "j");
    topology.routes.r = { ...makeRoute("n", "0.0.0.0/0"), device: "i" };
    const index = indexOf(topology);
    expect(index.linksAt.get("j")).toEqual(["l"]);
    expect(index.routesBy.get("i")).toEqual(["r"]);
  });
});
