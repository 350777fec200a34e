import { describe, expect, it } from "vitest";
import type { SceneNode } from "./contract";
import { curvePoint, overlaps } from "./geometry";
import { HitTester } from "./hitTest";
import { LabelPlanner, pillRect } from "./labels";
import { cableWidth, nodeBox, SceneModel } from "./model";
import { content, link, node } from "./testBench";
import { Traffic } from "./traffic";

function model(what: Parameters<typeof content>[0]): SceneModel {
  const made = new SceneModel();
  made.setContent(content(what));
  return made;
}

describe("SceneModel", () => {
  it("fans parallel cables apart, whichever way round each is drawn", () => {
    const nodes = [node("a", 0, 0), node("b", 200, 0)];
    const links = [link("1", "a", "b"), link("2", "b", "a"), link("3", "a", "b")];
    const made = model({ nodes, links });
    const middles = [...made.links.values()].map(({ curve }) => curvePoint(curve, 0.5));
    expect(middles.map(({ x }) => x)).toEqual([100, 100, 100]);
    expect(middles.map(({ y }) => y)).toEqual([-30, 0, 30]);
  });

  it("leaves out cables to nodes that are not there", () => {
    expect(model({ nodes: [node("a", 0, 0)], links: [link("1", "a", "gone")] }).links.size).toBe(0);
  });

  it("tells whether an update changes the picture", () => {
    const made = model({
      nodes: [node("a", 0, 0), node("b", 100, 0)],
      links: [link("1", "a", "b", { rate: 5e6, rateLabel: "5.0 Mb/s" })],
    });
    expect(made.updateNodes([node("a", 0, 0), node("gone", 1, 1)])).toBe(false);
    expect(made.updateNodes([node("a", 0, 0, { state: "down" })])).toBe(true);
    const badges = [{ letter: "D", state: "starting" as const }];
    expect(made.updateNodes([node("a", 0, 0, { state: "down", badges })])).toBe(true);
    const same = [{ letter: "D", state: "starting" as const }];
    expect(made.updateNodes([node("a", 0, 0, { state: "down", badges: same })])).toBe(false);
    const label = link("1", "a", "b", { rate: 5.1e6, rateLabel: "5.1 Mb/s" });
    expect(made.updateLinks([label], false)).toBe(false);
    expect(made.updateLinks([{ ...label, rateLabel: "5.2 Mb/s" }], true)).toBe(true);
    expect(made.updateLinks([{ ...label, state: "down" }], false)).toBe(true);
    expect(made.updateLinks([{ ...label, state: "down", alarm: "storm" }], false)).toBe(true);
  });

  it("does nothing for content that it shows already", () => {
    const what = { nodes: [node("a", 0, 0), node("b", 100, 0)], links: [link("1", "a", "b")] };
    const made = model(what);
    const shown = made.nodes.get("a");
    expect(made.setContent(content({ ...what, nodes: [...what.nodes] }))).toBe(false);
    expect(made.nodes.get("a")).toBe(shown);
    const [a, b] = what.nodes as [SceneNode, SceneNode];
    expect(made.setContent(content({ ...what, nodes: [b, a] }))).toBe(true); // what is on top
    expect(made.setContent(content({ ...what, nodes: [b, a], links: [] }))).toBe(true);
    const other = node("a", 0, 0, { label: "10.0.0.1" });
    expect(made.setContent(content({ nodes: [b, other] }))).toBe(true);
    expect(made.setContent(content({ nodes: [b, other] }))).toBe(false);
  });

  it("holds a drag's places through new content, until released", () => {
    const what = { nodes: [node("a", 0, 0), node("b", 100, 0)], links: [link("1", "a", "b")] };
    const made = model(what);
    made.setPreview([{ id: "a", x: 40, y: 50 }]);
    made.setContent(content(what));
    expect(made.nodes.get("a")).toMatchObject({ x: 40, y: 50 });
    expect(made.links.get("1")?.curve).toMatchObject({ ax: 40, ay: 50 });
    made.releasePreview();
    made.setContent(content(what));
    expect(made.nodes.get("a")).toMatchObject({ x: 0, y: 0 });
  });

  it("widens cables by the logarithm of their rate", () => {
    expect([0, 1e3, 1e10, 1e15].map(cableWidth)).toEqual([2, 2, 6, 6]);
    expect(cableWidth(1e6)).toBeGreaterThan(cableWidth(1e4));
  });
});

describe("HitTester", () => {
  it("finds what is near a point without missing what any other way of looking finds", () => {
    const nodes = Array.from({ length: 60 }, (_, i) =>
      node(`n${i}`, (i % 10) * 170, Math.floor(i / 10) * 140),
    );
    const links = nodes.slice(1).map((one, i) => link(`l${i}`, `n${(i * 7) % 60}`, one.id));
    const made = model({ nodes, links });
    const tester = new HitTester(made);
    for (const one of made.links.values()) {
      if (one.a === one.b) continue;
      const point = curvePoint(one.curve, 0.37);
      expect(tester.link(point, 8)).not.toBeNull();
    }
    for (const one of made.nodes.values()) {
      expect(tester.at({ x: one.x + 20, y: one.y - 20 }, 1)).toEqual({ kind: "node", id: one.id });
    }
    expect(tester.at({ x: 85, y: 70 }, 1)?.kind).not.toBe("node");
  });

  it("takes a group by its frame and title only", () => {
    const groups = [{ id: "g", name: "", x: 0, y: 0, width: 300, height: 200, color: "blue" }];
    const tester = new HitTester(model({ groups }));
    expect(tester.at({ x: 150, y: 20 }, 1)?.id).toBe("g");
    expect(tester.at({ x: 302, y: 120 }, 1)?.id).toBe("g");
    expect(tester.at({ x: 150, y: 120 }, 1)).toBeNull();
  });
});

describe("LabelPlanner", () => {
  it("keeps a node's port pills off its box and off each other", () => {
    const spokes = Array.from({ length: 10 }, (_, i) => {
      const angle = (i / 10) * 2 * Math.PI;
      return node(`s${i}`, 320 * Math.cos(angle), 320 * Math.sin(angle));
    });
    const links = spokes.map(({ id }, i) => link(`l${i}`, "hub", id, { portA: `eth${i}` }));
    const made = model({ nodes: [node("hub", 0, 0), ...spokes], links });
    const planner = new LabelPlanner(made, new HitTester(made));
    const hub = made.nodes.get("hub");
    if (!hub) throw new Error("no hub");
    const pills = [...made.links.values()].map((one) => planner.of(one).a);
    pills.forEach((pill, index) => {
      if (!pill) throw new Error("no pill");
      expect(overlaps(pillRect(pill), nodeBox(hub))).toBe(false);
      for (const other of pills.slice(index + 1)) {
        if (other) expect(overlaps(pillRect(pill), pillRect(other))).toBe(false);
      }
    });
  });

  it("moves a middle label off a node that stands on the cable", () => {
    const made = model({
      nodes: [node("a", 0, 0), node("b", 600, 0), node("between", 300, 0)],
      links: [link("1", "a", "b")],
    });
    const one = made.links.get("1");
    if (!one) throw new Error("no link");
    const { middle } = new LabelPlanner(made, new HitTester(made)).of(one);
    expect(Math.abs(middle.x - 300)).toBeGreaterThan(50);
  });
});

describe("Traffic", () => {
  const made = () =>
    model({ nodes: [node("a", 0, 0), node("b", 300, 0)], links: [link("1", "a", "b")] });
  const passage = {
    link: "1",
    forward: true,
    start: 100,
    end: 200,
    protocol: "TCP",
    packet: 9,
    number: 1,
  };

  it("moves forward and back between the boxes, only within its time", () => {
    const traffic = new Traffic(made());
    expect(traffic.progress(passage, 99)).toBeNull();
    expect(traffic.progress(passage, 150)).toBeCloseTo(0.5);
    expect(traffic.progress(passage, 200)).toBeNull();
    const back = { ...passage, forward: false };
    expect(traffic.progress(back, 100)).toBeCloseTo(1 - (traffic.progress(passage, 100) ?? 0));
  });

  it("stops a lost packet where it was lost, and keeps its cross for three seconds", () => {
    const traffic = new Traffic(made());
    traffic.add([{ ...passage, lost: { at: 0.5, label: "queue full" } }], false);
    expect(traffic.progress(traffic.passages[0] ?? passage, 400)).toBeCloseTo(0.5);
    expect(traffic.expire(3_100)).toBe(true);
    expect(traffic.expire(3_201)).toBe(false);
  });

  it("lets the cable glow instead, with reduced motion", () => {
    const traffic = new Traffic(made());
    traffic.add([passage], true);
    expect(traffic.passages).toEqual([]);
    expect(traffic.glows.get("1")?.until).toBe(200);
  });

  it("remembers a packet's way, each cable once", () => {
    const traffic = new Traffic(made());
    traffic.add([passage, { ...passage, link: "2" }, passage], false);
    expect(traffic.pathOf(9)).toEqual(["1", "2"]);
  });
});
