import { describe, expect, it } from "vitest";
import { arrange } from "./arrange";
import type { LayoutGraph, LayoutKind, LayoutNode } from "./graph";

const KINDS: LayoutKind[] = ["tiers", "organic", "circle"];

function node(id: string, kind: LayoutNode["kind"], x = 0, y = 0): LayoutNode {
  return { id, kind, x, y };
}

/** A router over `switches` switches, each with `hosts` hosts. */
function campus(switches: number, hosts: number): LayoutGraph {
  const graph: LayoutGraph = { nodes: [node("r", "router")], links: [], groups: [] };
  for (let s = 0; s < switches; s++) {
    graph.nodes.push(node(`s${s}`, "switch"));
    graph.links.push({ a: `s${s}`, b: "r" });
    for (let h = 0; h < hosts; h++) {
      graph.nodes.push(node(`h${s}-${h}`, "host"));
      graph.links.push({ a: `h${s}-${h}`, b: `s${s}` });
    }
  }
  return graph;
}

function leastDistance(places: Record<string, { x: number; y: number }>): number {
  const all = Object.values(places);
  let least = Number.POSITIVE_INFINITY;
  all.forEach((one, index) => {
    for (const other of all.slice(index + 1)) {
      least = Math.min(least, Math.hypot(one.x - other.x, one.y - other.y));
    }
  });
  return least;
}

describe.each(KINDS)("%s", (kind) => {
  it("places every node apart from the others, and the same way twice", () => {
    const graph = campus(4, 5);
    graph.nodes.push(node("alone", "host"));
    const result = arrange(graph, kind);
    expect(Object.keys(result.nodes).sort()).toEqual(graph.nodes.map(({ id }) => id).sort());
    expect(leastDistance(result.nodes)).toBeGreaterThan(80);
    expect(arrange(graph, kind)).toEqual(result);
  });

  it("keeps a group's nodes in its frame and all others out of it", () => {
    const graph = campus(2, 3);
    for (const one of graph.nodes) if (one.id.includes("1")) Object.assign(one, { x: 500, y: 500 });
    graph.groups.push({ id: "g", x: 450, y: 450, width: 100, height: 100 });
    const { nodes, groups } = arrange(graph, kind);
    const frame = groups.g;
    if (!frame) throw new Error("the group has no place");
    for (const { id, x } of graph.nodes) {
      const place = nodes[id] ?? { x: Number.NaN, y: Number.NaN };
      const within =
        place.x > frame.x &&
        place.y > frame.y &&
        place.x < frame.x + frame.width &&
        place.y < frame.y + frame.height;
      expect([id, within]).toEqual([id, x === 500]);
    }
  });

  it("keeps the frames of groups apart", () => {
    const graph = campus(4, 4);
    for (const one of graph.nodes) {
      const group = Number(one.id[1]);
      if (one.id !== "r") Object.assign(one, { x: 1000 * group + 500, y: 500 });
    }
    for (let g = 0; g < 4; g++) {
      graph.groups.push({ id: `g${g}`, x: 1000 * g, y: 0, width: 900, height: 900 });
    }
    const frames = Object.values(arrange(graph, kind).groups);
    expect(frames).toHaveLength(4);
    frames.forEach((one, index) => {
      for (const other of frames.slice(index + 1)) {
        const apart =
          one.x >= other.x + other.width ||
          other.x >= one.x + one.width ||
          one.y >= other.y + other.height ||
          other.y >= one.y + one.height;
        expect(apart).toBe(true);
      }
    });
  });

  it("takes an empty drawing, a loop and a cable to nowhere", () => {
    expect(arrange({ nodes: [], links: [], groups: [] }, kind)).toEqual({ nodes: {}, groups: {} });
    const links = [
      { a: "n", b: "n" },
      { a: "n", b: "gone" },
    ];
    const { nodes } = arrange({ nodes: [node("n", "host", 40, 60)], links, groups: [] }, kind);
    expect(nodes).toEqual({ n: { x: 40, y: 60 } });
  });
});

describe("tiers", () => {
  it("puts the core above what hangs from it", () => {
    const { nodes } = arrange(campus(3, 2), "tiers");
    expect(nodes.r?.y).toBeLessThan(nodes.s0?.y ?? 0);
    expect(nodes.s0?.y).toBeLessThan(nodes["h0-0"]?.y ?? 0);
  });

  it("still keeps 1,000 nodes apart, in tiers", () => {
    const { nodes } = arrange(campus(33, 29), "tiers");
    expect(Object.keys(nodes)).toHaveLength(991);
    expect(leastDistance(nodes)).toBeGreaterThan(60);
    expect(nodes.r?.y).toBeLessThan(nodes.s5?.y ?? 0);
  }, 30_000);
});
