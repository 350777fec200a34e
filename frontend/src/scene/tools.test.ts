import { describe, expect, it } from "vitest";
import { content, link, node, pointer, stroke, workbench } from "./testBench";
import { PairTool } from "./tools/connectTool";
import { PlaceTool } from "./tools/placeTool";
import { SelectTool } from "./tools/selectTool";

const drawing = () =>
  content({
    nodes: [node("a", 100, 100), node("b", 300, 100), node("c", 300, 300)],
    links: [link("ab", "a", "b"), link("bc", "b", "c")],
    groups: [{ id: "g", name: "G", x: 220, y: 220, width: 200, height: 160, color: "blue" }],
    notes: [{ id: "t", text: "hi", x: 500, y: 400, width: 120, height: 80 }],
  });

describe("select tool", () => {
  it("selects what is clicked, toggles with shift, and clears on empty ground", () => {
    const { bench, calls } = workbench(drawing());
    const tool = new SelectTool(bench);
    stroke(tool, pointer(100, 100));
    stroke(tool, pointer(200, 104, { shift: true }));
    stroke(tool, pointer(510, 420));
    stroke(tool, pointer(700, 50));
    const picks = calls.filter(([name]) => name === "select");
    expect(picks).toEqual([
      ["select", ["a"], "replace"],
      ["select", ["ab"], "toggle"],
      ["select", ["t"], "replace"],
      ["select", [], "replace"],
    ]);
  });

  it("moves a node to the grid, or in line with another, and freely with alt", () => {
    const { bench, calls } = workbench(drawing());
    const tool = new SelectTool(bench);
    const drop = (x: number, y: number, alt = false) => {
      stroke(tool, pointer(100, 100), pointer(x, y, { alt }));
      const [, moves, done] = calls.findLast(([name]) => name === "move") as [
        string,
        { id: string; x: number; y: number }[],
        boolean,
      ];
      bench.model.setContent(drawing());
      return [moves, done];
    };
    expect(drop(163, 158)).toEqual([[{ id: "a", x: 160, y: 160 }], true]);
    expect(drop(162, 103)).toEqual([[{ id: "a", x: 160, y: 100 }], true]);
    expect(drop(297, 204)).toEqual([[{ id: "a", x: 300, y: 200 }], true]);
    expect(drop(163, 158, true)).toEqual([[{ id: "a", x: 163, y: 158 }], true]);
  });

  it("moves all of a selection, and with a group what is in it", () => {
    const { bench, calls } = workbench(drawing());
    const tool = new SelectTool(bench);
    stroke(tool, pointer(230, 230), pointer(250, 260));
    const [, moves] = calls.findLast(([name]) => name === "move") as unknown as [
      string,
      { id: string }[],
    ];
    expect(moves.map(({ id }) => id)).toEqual(["g", "c"]);
  });

  it("puts everything back when a drag is given up", () => {
    const { bench, calls } = workbench(drawing());
    const tool = new SelectTool(bench);
    tool.hover(pointer(100, 100));
    tool.down(pointer(100, 100));
    tool.drag(pointer(180, 170));
    expect(bench.model.nodes.get("a")?.x).toBe(180);
    expect(tool.cancel()).toBe(true);
    expect(bench.model.nodes.get("a")).toMatchObject({ x: 100, y: 100 });
    expect(bench.model.links.get("ab")?.curve.ax).toBe(100);
    expect(calls.at(-1)).toEqual(["move", [{ id: "a", x: 100, y: 100 }], false]);
    expect(calls.some(([name, , done]) => name === "move" && done === true)).toBe(false);
  });

  it("selects by marquee: nodes, the cables between them, whole boxes", () => {
    const { bench, calls } = workbench(drawing());
    stroke(new SelectTool(bench), pointer(210, 40), pointer(450, 390));
    expect(calls.at(-1)).toEqual(["select", ["b", "c", "bc", "g"], "replace"]);
    expect(bench.overlay.marquee).toBeNull();
  });

  it("draws a cable from a port dot to another node, and none to nowhere", () => {
    const { bench, calls } = workbench(drawing());
    const tool = new SelectTool(bench);
    tool.hover(pointer(100, 100));
    stroke(tool, pointer(100, 136), pointer(200, 200), pointer(300, 300));
    expect(calls.at(-1)).toEqual(["connect", "a", "c"]);
    const before = calls.length;
    tool.hover(pointer(100, 100));
    stroke(tool, pointer(100, 136), pointer(150, 250));
    expect(calls.slice(before).some(([name]) => name === "connect")).toBe(false);
  });

  it("resizes a selected note by its corner, not below a least size", () => {
    const { bench, calls } = workbench(drawing());
    const tool = new SelectTool(bench);
    stroke(tool, pointer(520, 420));
    stroke(tool, pointer(500, 400), pointer(470, 430));
    expect(calls.at(-1)).toEqual([
      "move",
      [{ id: "t", x: 470, y: 420, width: 150, height: 60 }],
      true,
    ]);
  });

  it("picks a packet that passes under the pointer", () => {
    const { bench, calls } = workbench(drawing());
    const passage = { link: "ab", forward: true, start: -50, end: 50, protocol: "ICMP" };
    bench.traffic.add([{ ...passage, packet: 5, number: 77 }], false);
    stroke(new SelectTool(bench), pointer(203, 96));
    expect(calls.at(-1)).toEqual(["pickPacket", 77]);
  });
});

describe("pair tool", () => {
  it("joins by two clicks or by one drag, then is done", () => {
    const { bench, calls } = workbench(drawing());
    const clicks = new PairTool(bench, "connect", undefined);
    stroke(clicks, pointer(100, 100));
    stroke(clicks, pointer(300, 300));
    stroke(new PairTool(bench, "connect", undefined), pointer(300, 100), pointer(100, 100));
    const done = calls.filter(([name]) => name !== "hover");
    expect(done).toEqual([
      ["connect", "a", "c"],
      ["toolDone"],
      ["connect", "b", "a"],
      ["toolDone"],
    ]);
  });

  it("probes from a source given beforehand, and never a node from itself", () => {
    const { bench, calls } = workbench(drawing());
    stroke(new PairTool(bench, "probe", "b"), pointer(300, 300));
    stroke(new PairTool(bench, "probe", "b"), pointer(300, 100));
    const done = calls.filter(([name]) => name !== "hover");
    expect(done).toEqual([["probe", "b", "c"], ["toolDone"], ["toolDone"]]);
  });

  it("gives up its first pick when cancelled", () => {
    const { bench } = workbench(drawing());
    const tool = new PairTool(bench, "connect", "a");
    tool.hover(pointer(200, 200));
    expect(bench.overlay.rubber?.from).toBe("a");
    expect(tool.cancel()).toBe(true);
    expect(bench.overlay.rubber).toBeNull();
    expect(tool.cancel()).toBe(false);
  });
});

describe("place tool", () => {
  it("places on the grid, or divides the cable under it, which a note does not", () => {
    const { bench, calls } = workbench(drawing());
    stroke(new PlaceTool(bench, "router"), pointer(604, 97));
    stroke(new PlaceTool(bench, "router"), pointer(204, 97));
    stroke(new PlaceTool(bench, "note"), pointer(204, 97));
    expect(calls).toEqual([
      ["place", "router", 600, 100],
      ["toolDone"],
      ["dropOnLink", "ab", "router", 200, 100],
      ["toolDone"],
      ["place", "note", 200, 100],
      ["toolDone"],
    ]);
  });

  it("stays for more with shift", () => {
    const { bench, calls } = workbench(drawing());
    stroke(new PlaceTool(bench, "host"), pointer(600, 90, { shift: true }));
    expect(calls).toEqual([["place", "host", 600, 90]]);
  });
});
