import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beside, panesOf, split, type Tree, without } from "./layout";

describe("the layout of a tab", () => {
  it("divides beside and below, and does not nest what lies the same way", () => {
    let tree: Tree = "a";
    tree = split(tree, "a", "row", "b", "s1");
    tree = split(tree, "a", "row", "c", "s2");
    expect(tree).toEqual({ id: "s1", axis: "row", parts: ["a", "c", "b"] });
    tree = split(tree, "c", "column", "d", "s3");
    expect(tree).toMatchObject({
      parts: ["a", { id: "s3", axis: "column", parts: ["c", "d"] }, "b"],
    });
    expect(panesOf(tree)).toEqual(["a", "c", "d", "b"]);
  });

  it("dissolves a division of one part", () => {
    const tree = split(split("a", "a", "row", "b", "s1"), "b", "column", "c", "s2");
    expect(without(tree, "b")).toEqual({ id: "s1", axis: "row", parts: ["a", "c"] });
    expect(without(without(tree, "b") ?? "", "a")).toBe("c");
    expect(without("a", "a")).toBeNull();
  });

  it("finds the neighbour that shares the edge", () => {
    // a | b over c
    const tree = split(split("a", "a", "row", "b", "s1"), "b", "column", "c", "s2");
    expect(beside(tree, "a", "right")).toBe("b");
    expect(beside(tree, "c", "left")).toBe("a");
    expect(beside(tree, "b", "down")).toBe("c");
    expect(beside(tree, "c", "up")).toBe("b");
    expect(beside(tree, "a", "up")).toBeNull();
    expect(beside(tree, "c", "right")).toBeNull();
  });

  it("keeps every pane once, whatever is divided and closed, and the way back leads back", () => {
    const step = fc.record({
      at: fc.nat(),
      axis: fc.constantFrom("row", "column"),
      open: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let tree: Tree | null = "p";
        let expected = ["p"];
        steps.forEach(({ at, axis, open }, index) => {
          if (tree === null) return;
          const pane = expected[at % expected.length] ?? "";
          if (open) {
            tree = split(tree, pane, axis as "row" | "column", `q${index}`, `s${index}`);
            expected = [...expected, `q${index}`];
          } else {
            tree = without(tree, pane);
            expected = expected.filter((one) => one !== pane);
          }
        });
        expect(tree === null ? [] : [...panesOf(tree)].sort()).toEqual([...expected].sort());
        for (const pane of expected) {
          const next = tree && beside(tree, pane, "right");
          if (next) expect(beside(tree as Tree, next, "left")).not.toBeNull();
        }
      }),
    );
  });
});
