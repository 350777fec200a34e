import { contains, type Point, type Rect } from "../geometry";
import type { Edge } from "../hitTest";
import type { Move } from "../model";
import { snapPoint, snapValue } from "../snap";
import type { Gesture } from "./gesture";
import type { Pointer, Workbench } from "./tool";

const SNAP_REACH = 6; // screen px
const LEAST = 60; // px a side of a note or group

/** Drags the selected nodes, notes and groups; a group takes along what is in it. */
export class MoveGesture implements Gesture {
  private readonly origin: Move[];
  private readonly moving: ReadonlySet<string>;

  constructor(
    private readonly bench: Workbench,
    private readonly start: Point,
    private readonly grabbed: string,
    ids: ReadonlySet<string>,
  ) {
    bench.overlay.ports = null;
    this.moving = withContents(bench, ids);
    this.origin = [...this.moving].map((id) => placeOf(bench, id)).filter((move) => move !== null);
  }

  move(pointer: Pointer): void {
    this.show(this.shift(pointer), false);
  }

  end(pointer: Pointer): void {
    const { model, overlay } = this.bench;
    overlay.guides = [];
    this.show(this.shift(pointer), true);
    overlay.guides = [];
    model.releasePreview();
    this.bench.redraw("all");
  }

  cancel(): void {
    this.bench.overlay.guides = [];
    this.bench.model.settle();
    this.bench.events.move(this.origin, false);
    this.bench.redraw("all");
  }

  private show(by: Point, done: boolean): void {
    const moves = this.origin.map((move) => ({ ...move, x: move.x + by.x, y: move.y + by.y }));
    this.bench.model.setPreview(moves);
    this.bench.events.move(moves, done);
    this.bench.redraw("all");
  }

  /** How far all move: by what the grabbed one snaps to. */
  private shift(pointer: Pointer): Point {
    const free = { x: pointer.world.x - this.start.x, y: pointer.world.y - this.start.y };
    const grabbed = this.origin.find((move) => move.id === this.grabbed) ?? this.origin[0];
    if (pointer.alt || !grabbed) {
      this.bench.overlay.guides = [];
      return { x: Math.round(free.x), y: Math.round(free.y) };
    }
    const wanted = { x: grabbed.x + free.x, y: grabbed.y + free.y };
    const isNode = this.bench.model.nodes.has(grabbed.id);
    const snapped = isNode
      ? snapPoint(wanted, this.others(), SNAP_REACH / this.bench.camera.zoom)
      : { x: snapValue(wanted.x), y: snapValue(wanted.y), guides: [] };
    this.bench.overlay.guides = snapped.guides;
    return { x: snapped.x - grabbed.x, y: snapped.y - grabbed.y };
  }

  private *others(): Iterable<Point> {
    const view = this.bench.camera.view();
    for (const node of this.bench.model.nodes.values()) {
      if (!this.moving.has(node.id) && contains(view, node)) yield node;
    }
  }
}

/** Drags a corner of a note or group. */
export class ResizeGesture implements Gesture {
  private readonly box: Rect;

  constructor(
    private readonly bench: Workbench,
    private readonly id: string,
    private readonly edge: Edge,
  ) {
    const { x, y, width, height } = bench.model.box(id) ?? { x: 0, y: 0, width: 0, height: 0 };
    this.box = { x, y, width, height };
  }

  move(pointer: Pointer): void {
    this.show(resized(this.box, this.edge, pointer), false);
  }

  end(pointer: Pointer): void {
    this.show(resized(this.box, this.edge, pointer), true);
    this.bench.model.releasePreview();
  }

  cancel(): void {
    this.bench.model.settle();
    this.bench.events.move([{ id: this.id, ...this.box }], false);
    this.bench.redraw("all");
  }

  private show(box: Rect, done: boolean): void {
    const moves = [{ id: this.id, ...box }];
    this.bench.model.setPreview(moves);
    this.bench.events.move(moves, done);
    this.bench.redraw("all");
  }
}

function resized(box: Rect, edge: Edge, pointer: Pointer): Rect {
  const snap = (value: number) => (pointer.alt ? Math.round(value) : snapValue(value));
  const [px, py] = [snap(pointer.world.x), snap(pointer.world.y)];
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  const west = edge === "nw" || edge === "sw";
  const north = edge === "nw" || edge === "ne";
  const left = west ? Math.min(px, right - LEAST) : box.x;
  const top = north ? Math.min(py, bottom - LEAST) : box.y;
  return {
    x: left,
    y: top,
    width: west ? right - left : Math.max(LEAST, px - box.x),
    height: north ? bottom - top : Math.max(LEAST, py - box.y),
  };
}

function placeOf(bench: Workbench, id: string): Move | null {
  const node = bench.model.nodes.get(id);
  if (node) return { id, x: node.x, y: node.y };
  const box = bench.model.box(id);
  return box ? { id, x: box.x, y: box.y, width: box.width, height: box.height } : null;
}

function withContents({ model }: Workbench, ids: ReadonlySet<string>): Set<string> {
  const all = new Set(ids);
  for (const id of ids) {
    const group = model.groups.get(id);
    if (!group) continue;
    for (const node of model.nodes.values()) if (contains(group, node)) all.add(node.id);
    for (const note of model.notes.values()) {
      if (contains(group, { x: note.x + note.width / 2, y: note.y + note.height / 2 }))
        all.add(note.id);
    }
  }
  return all;
}
