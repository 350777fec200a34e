import type { PlaceKind } from "../contract";
import type { Point } from "../geometry";
import { snapValue } from "../snap";
import type { Pointer, ToolHandler, Workbench } from "./tool";

const DROP_REACH = 12; // screen px from a cable

/** Shows what would stand under the pointer; a click puts it there, shift for more of them. */
export class PlaceTool implements ToolHandler {
  constructor(
    private readonly bench: Workbench,
    private readonly what: PlaceKind,
  ) {}

  hover(pointer: Pointer): void {
    showGhost(this.bench, this.what, pointer.world, !pointer.alt);
  }

  down(pointer: Pointer): void {
    this.hover(pointer);
  }

  drag(pointer: Pointer): void {
    this.hover(pointer);
  }

  up(pointer: Pointer): void {
    this.hover(pointer);
    const { ghost } = this.bench.overlay;
    if (!ghost) return;
    this.cancel();
    const { what } = this;
    if (ghost.link && what !== "note" && what !== "group") {
      this.bench.events.dropOnLink(ghost.link, what, ghost.x, ghost.y);
    } else {
      this.bench.events.place(what, ghost.x, ghost.y);
    }
    if (!pointer.shift) this.bench.events.toolDone();
  }

  cancel(): boolean {
    const active = this.bench.overlay.ghost !== null;
    this.bench.overlay.ghost = null;
    this.bench.redraw("motion");
    return active;
  }

  cursor(): string {
    return "copy";
  }
}

/** Puts the ghost at a point and returns the cable that a node dropped there would divide. */
export function showGhost(
  bench: Workbench,
  what: PlaceKind,
  world: Point,
  snap: boolean,
): string | null {
  const { tester, camera, overlay } = bench;
  const node = what !== "note" && what !== "group";
  const free = node && !tester.node(world);
  const link = free ? (tester.link(world, DROP_REACH / camera.zoom)?.id ?? null) : null;
  const [x, y] = snap ? [snapValue(world.x), snapValue(world.y)] : [world.x, world.y];
  overlay.ghost = { what, x, y, link };
  bench.redraw("motion");
  return link;
}
