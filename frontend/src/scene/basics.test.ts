import { describe, expect, it } from "vitest";
import { Camera, MAX_ZOOM } from "./camera";
import { SceneClock } from "./clock";
import { drawStatic } from "./drawStatic";
import { curveDistance, union } from "./geometry";
import { Governor } from "./governor";
import { HitTester } from "./hitTest";
import { LabelPlanner } from "./labels";
import { SceneModel } from "./model";
import { snapPoint } from "./snap";
import { SvgPen } from "./svgPen";
import { content, link, node } from "./testBench";
import { ellipsis, wrap } from "./text";
import { THEMES } from "./theme";

const byLetter = (_font: string, text: string) => text.length * 10;

describe("Camera", () => {
  it("keeps the point under the pointer when it zooms, within bounds", () => {
    const camera = new Camera();
    camera.resize(800, 600);
    camera.panBy(37, -12);
    const before = camera.toWorld({ x: 200, y: 300 });
    camera.zoomAt({ x: 200, y: 300 }, 1.7);
    const after = camera.toWorld({ x: 200, y: 300 });
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
    camera.zoomAt({ x: 0, y: 0 }, 1e6);
    expect(camera.zoom).toBe(MAX_ZOOM);
  });

  it("fits a rectangle into view with room around it", () => {
    const camera = new Camera();
    camera.resize(800, 600);
    camera.fit({ x: -1000, y: 0, width: 4000, height: 100 });
    const view = camera.view();
    expect(view.x).toBeLessThan(-1000);
    expect(view.x + view.width).toBeGreaterThan(3000);
  });
});

describe("SceneClock", () => {
  it("stands still while paused and goes on from there", () => {
    let time = 1_000;
    const clock = new SceneClock(() => time);
    clock.setPaused(true);
    time = 5_000;
    expect(clock.now()).toBe(1_000);
    clock.setPaused(false);
    time = 5_010;
    expect(clock.now()).toBe(1_010);
  });
});

describe("Governor", () => {
  function play(governor: Governor, frames: number, interval: number, work: number): void {
    for (let i = 0; i < frames; i++) {
      time += interval;
      governor.frame(time, work);
    }
  }
  let time = 0;

  it("lowers the resolution when frames are slow, raises it when they have been fast for long", () => {
    const governor = new Governor();
    play(governor, 60, 16, 12);
    expect(governor.motionRatio(2)).toBe(1);
    expect([governor.staticRatio(2, true), governor.staticRatio(2, false)]).toEqual([1, 2]);
    play(governor, 60, 16, 1);
    expect(governor.motionRatio(2)).toBe(1);
    play(governor, 200, 16, 1);
    expect(governor.motionRatio(2)).toBe(2);
  });

  it("sees slow rastering in the time between frames, and waits longer after each relapse", () => {
    const governor = new Governor();
    play(governor, 60, 40, 2);
    expect(governor.motionRatio(2)).toBe(1);
    play(governor, 180, 16, 2);
    expect(governor.motionRatio(2)).toBe(2);
    play(governor, 60, 40, 2);
    play(governor, 180, 16, 2);
    expect(governor.motionRatio(2)).toBe(1);
  });

  it("does not take a rest for slowness", () => {
    const governor = new Governor();
    for (let i = 0; i < 100; i++) {
      play(governor, 1, 500, 2);
      governor.rest();
    }
    expect(governor.motionRatio(2)).toBe(2);
  });
});

describe("geometry", () => {
  it("measures the distance to bent and straight curves", () => {
    const bent = { ax: 0, ay: 0, cx: 50, cy: 100, bx: 100, by: 0, straight: false };
    expect(curveDistance(bent, { x: 50, y: 50 })).toBeLessThan(1);
    expect(curveDistance({ ...bent, straight: true }, { x: 50, y: 50 })).toBe(50);
    expect(union([])).toBeNull();
  });

  it("snaps to the nearest of others, else to the grid", () => {
    const others = [
      { x: 103, y: 500 },
      { x: 98, y: 40 },
    ];
    expect(snapPoint({ x: 99, y: 200 }, others, 6)).toMatchObject({ x: 98, y: 200 });
    expect(snapPoint({ x: 87, y: 207 }, others, 6)).toEqual({ x: 90, y: 210, guides: [] });
  });
});

describe("text", () => {
  it("wraps at spaces, between Chinese letters, and within words that are too long", () => {
    expect(wrap("f", "one two three\nfour", 80, byLetter)).toEqual(["one two", "three", "four"]);
    expect(wrap("f", "观察环形数据包", 30, byLetter)).toEqual(["观察环", "形数据", "包"]);
    expect(wrap("f", "abcdefghij k", 40, byLetter)).toEqual(["abcd", "efgh", "ij k"]);
    expect(wrap("f", "", 40, byLetter)).toEqual([""]);
  });

  it("cuts with an ellipsis only what does not fit", () => {
    expect(ellipsis("f", "short", 100, byLetter)).toBe("short");
    expect(ellipsis("f", "far too long", 60, byLetter)).toBe("far t…");
  });
});

describe("SVG export", () => {
  function svg(name: string): string {
    const model = new SceneModel();
    model.setContent(
      content({
        nodes: [node("a", 0, 0, { name, state: "down", drift: true }), node("b", 200, 0)],
        links: [link("1", "a", "b", { state: "blocked", blockedEnd: "b" })],
        notes: [{ id: "t", text: "a < b & c", x: 0, y: 100, width: 150, height: 80 }],
        groups: [{ id: "g", name: "G", x: -50, y: -50, width: 300, height: 100, color: "puce" }],
      }),
    );
    const pen = new SvgPen();
    drawStatic({
      surface: pen,
      model,
      planner: new LabelPlanner(model, new HitTester(model)),
      theme: THEMES.light,
      words: { blocked: "STP blocked" },
      selection: new Set(),
      callouts: [{ id: "c", node: "a", text: "no answer", tone: "bad" }],
      zoom: 1,
      view: { x: -500, y: -500, width: 1000, height: 1000 },
    });
    return `<svg xmlns="http://www.w3.org/2000/svg">${pen.markup()}</svg>`;
  }

  it("is well-formed whatever the names, and draws every part by the same passes", () => {
    const markup = svg('<script>"&\u0001');
    const parsed = new DOMParser().parseFromString(markup, "image/svg+xml");
    expect(parsed.querySelector("parsererror")).toBeNull();
    expect(parsed.querySelector("script")).toBeNull();
    const words = [...parsed.querySelectorAll("text")].map((text) => text.textContent ?? "");
    for (const wanted of ['<script>"&', "b", "eth0", "eth1", "⊘ STP blocked", "≠", "a < b & c"]) {
      expect(words).toContain(wanted);
    }
    expect(words.some((text) => text.includes("no answer"))).toBe(true);
    expect(markup).not.toContain("NaN");
    expect(markup).not.toContain("undefined");
  });
});
