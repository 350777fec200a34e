import { describe, expect, it } from "vitest";
import { makeNode } from "../doc/defaults";
import { Deriver } from "../doc/derive";
import type { LiveView } from "../doc/live";
import type { Topology } from "../doc/model";
import { invert, predict, remove } from "../doc/ops";
import { drawing } from "../doc/testing";
import { addChild, type ChildKind, childrenOf, placeOf, setOptions } from "./childEdits";
import { parseVlans } from "./vlans";

const STOPPED: LiveView = {
  running: false,
  stale: false,
  node: () => undefined,
  link: () => undefined,
  warningAt: () => undefined,
};

/** The small drawing with a node n3, and children of i1 there, in the order asked for. */
function withChildren(...kinds: ChildKind[]): { topology: Topology; ids: string[] } {
  let topology = drawing();
  topology.nodes.n3 = makeNode("host", "h3", 0, 200);
  const ids = kinds.map((kind) => {
    const { id, operation } = addChild(topology, "i1", "n3", kind);
    topology = predict(topology, operation).topology;
    return id;
  });
  return { topology, ids };
}

describe("VLAN lists", () => {
  it("are sorted and without repetition", () => {
    expect(parseVlans("20, 10 20")).toEqual([10, 20]);
    expect(parseVlans("")).toEqual([]);
  });

  it("hold only what a tag can say", () => {
    for (const text of ["0", "4095", "ten"]) expect(parseVlans(text)).toBeNull();
  });
});

describe("children", () => {
  it("get free names, and VLANs of their own", () => {
    const { topology, ids } = withChildren("macvlan", "macvlan", "vlan", "vlan");
    const names = ["h3:mv0", "h3:mv1", "h3:eth0.10", "h3:eth0.20"];
    expect(ids.map((id) => placeOf(topology, id))).toEqual(names);
    expect([...childrenOf(topology, "i1")].sort()).toEqual([...ids].sort());
  });

  it("of ipvlan are changed together: the kernel keeps their options once a parent", () => {
    const { topology, ids } = withChildren("ipvlan", "ipvlan", "macvlan");
    const [first = "", second = "", other = ""] = ids;
    const after = predict(topology, setOptions(topology, first, { mode: "l3" })).topology;
    expect(after.interfaces[second]?.options).toEqual({ mode: "l3" });
    expect(after.interfaces[other]?.options).toEqual({});
  });

  it("go with their parent, before it, and come back", () => {
    const { topology, ids } = withChildren("macvlan");
    const { topology: without, changes } = predict(topology, remove("nodes", "n1"));
    expect(Object.keys(without.interfaces)).toEqual(["i2"]);
    const gone = changes.filter((one) => one.op === "remove" && one.collection === "interfaces");
    expect(gone.map((one) => "id" in one && one.id)).toEqual([...ids, "i1"]);
    const undo = invert(changes);
    expect(undo && predict(without, undo).topology.interfaces).toEqual(topology.interfaces);
  });

  it("are lines to their parents on the canvas", () => {
    const { topology, ids } = withChildren("macvlan");
    const { links } = new Deriver().content(topology, STOPPED, new Map());
    const line = links.find(({ id }) => id === ids[0]);
    expect(line).toMatchObject({ a: "n3", b: "n1", portA: "mv0", portB: "eth0", state: "child" });
  });
});
