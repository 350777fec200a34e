import type { Point } from "../geometry";
import type { Gesture } from "./gesture";
import { moved, type Pointer, type ToolHandler, type Workbench } from "./tool";

/** What two nodes are picked for; also the name of the event that says so. */
export type PairKind = "connect" | "probe" | "trace";

/** Pulls a line from one node to another, by drag or by two clicks. */
export class LinkGesture implements Gesture {
  constructor(
    private readonly bench: Workbench,
    readonly from: string,
    private readonly what: PairKind,
  ) {}

  move(pointer: Pointer): void {
    this.bench.overlay.rubber = {
      from: this.from,
      to: pointer.world,
      target: this.targetAt(pointer.world),
      what: this.what,
    };
    this.bench.overlay.ports = null;
    this.bench.redraw("motion");
  }

  end(pointer: Pointer): void {
    this.finish(pointer);
  }

  /** Reports the pair when the pointer is on a target; true then. */
  finish(pointer: Pointer): boolean {
    const target = this.targetAt(pointer.world);
    this.cancel();
    if (!target) return false;
    this.bench.events[this.what](this.from, target);
    return true;
  }

  cancel(): void {
    this.bench.overlay.rubber = null;
    this.bench.redraw("motion");
  }

  private targetAt(world: Point): string | null {
    const node = this.bench.tester.node(world);
    return node && node.id !== this.from ? node.id : null;
  }
}

/** The connect, the probe and the trace tool: pick a source, then a target. */
export class PairTool implements ToolHandler {
  private link: LinkGesture | null;
  private press: Point | null = null;
  private fresh = false; // the source was picked by the press under way

  constructor(
    private readonly bench: Workbench,
    private readonly what: PairKind,
    from: string | undefined,
  ) {
    this.link = from === undefined ? null : new LinkGesture(bench, from, what);
  }

  hover(pointer: Pointer): void {
    this.link?.move(pointer);
    const under = this.bench.tester.node(pointer.world)?.id ?? null;
    const { overlay } = this.bench;
    if (!this.link && overlay.ports !== under) {
      overlay.ports = this.what === "connect" ? under : null;
      this.bench.redraw("motion");
    }
    if (overlay.hovered === under) return;
    overlay.hovered = under;
    this.bench.events.hover(under);
  }

  down(pointer: Pointer): void {
    this.press = pointer.screen;
    this.fresh = false;
    if (this.link) return;
    const source = this.bench.tester.node(pointer.world);
    if (!source) return;
    this.link = new LinkGesture(this.bench, source.id, this.what);
    this.fresh = true;
    this.link.move(pointer);
  }

  drag(pointer: Pointer): void {
    this.link?.move(pointer);
  }

  /** A click on the source leaves it picked; a drag, or a second click, ends on a target or on nothing. */
  up(pointer: Pointer): void {
    const clicked = this.press !== null && !moved(this.press, pointer.screen);
    this.press = null;
    if (this.fresh && clicked) return;
    if (!this.link) {
      this.bench.events.toolDone();
      return;
    }
    this.link.finish(pointer);
    this.link = null;
    this.bench.events.toolDone();
  }

  cancel(): boolean {
    const active = this.link !== null;
    this.link?.cancel();
    this.link = null;
    return active;
  }

  cursor(): string {
    return "crosshair";
  }
}
