/** What the scene's own tests share: a bench without a canvas, and a pointer. */
import { Camera } from "./camera";
import type { SceneContent, SceneEvents, SceneLink, SceneNode } from "./contract";
import { HitTester } from "./hitTest";
import { SceneModel } from "./model";
import { Overlay } from "./overlay";
import type { Pointer, ToolHandler, Workbench } from "./tools/tool";
import { Traffic } from "./traffic";

export function node(id: string, x: number, y: number, change: Partial<SceneNode> = {}): SceneNode {
  return {
    id,
    kind: "host",
    name: id,
    label: "",
    x,
    y,
    state: "up",
    drift: false,
    problem: null,
    badges: [],
    ...change,
  };
}

export function link(id: string, a: string, b: string, change: Partial<SceneLink> = {}): SceneLink {
  return {
    id,
    a,
    b,
    portA: "eth0",
    portB: "eth1",
    state: "up",
    blockedEnd: null,
    rate: 0,
    rateLabel: "",
    alarm: null,
    ...change,
  };
}

export function content(change: Partial<SceneContent>): SceneContent {
  return { nodes: [], links: [], groups: [], notes: [], ...change };
}

export type Call = {
  [K in keyof SceneEvents]: [K, ...Parameters<SceneEvents[K]>];
}[keyof SceneEvents];

/** A workbench at zoom 1 and no offset, so that screen px are world px, and a record of its events. */
export function workbench(what: SceneContent): { bench: Workbench; calls: Call[] } {
  const model = new SceneModel();
  model.setContent(what);
  const calls: Call[] = [];
  let selection: ReadonlySet<string> = new Set();
  const record = new Proxy({} as SceneEvents, {
    get:
      (_, name) =>
      (...details: unknown[]) => {
        calls.push([name, ...details] as Call);
        if (name === "select") selection = new Set(details[0] as string[]);
      },
  });
  const camera = new Camera();
  camera.resize(800, 600);
  const bench: Workbench = {
    camera,
    model,
    tester: new HitTester(model),
    overlay: new Overlay(),
    traffic: new Traffic(model),
    events: record,
    selection: () => selection,
    painter: () => null,
    now: () => 0,
    redraw: () => {},
  };
  return { bench, calls };
}

export function pointer(
  x: number,
  y: number,
  keys: { shift?: boolean; alt?: boolean } = {},
): Pointer {
  const { shift = false, alt = false } = keys;
  return { screen: { x, y }, world: { x, y }, shift, alt, toggle: shift };
}

/** Hovers, presses, drags over each further point, and lets go at the last. */
export function stroke(tool: ToolHandler, ...way: Pointer[]): void {
  const [first, ...rest] = way;
  if (!first) return;
  tool.hover(first);
  tool.down(first);
  for (const next of rest) tool.drag(next);
  tool.up(rest.at(-1) ?? first);
}
