import { between, type Point } from "../geometry";
import type { Hit } from "../hitTest";
import { LinkGesture } from "./connectTool";
import type { Gesture } from "./gesture";
import { MoveGesture, ResizeGesture } from "./moveGesture";
import { moved, type Pointer, type ToolHandler, type Workbench } from "./tool";

const PACKET_REACH = 12; // screen px

/** Click, shift-click, marquee, move, resize, and a cable drawn from a port dot. */
export class SelectTool implements ToolHandler {
  readonly touchPans = true;
  private pressed: { pointer: Pointer; hit: Hit | null } | null = null;
  private gesture: Gesture | null = null;
  private under: Hit | null = null;

  constructor(private readonly bench: Workbench) {}

  hover(pointer: Pointer): void {
    const hit = this.hitAt(pointer);
    this.under = hit;
    const node = hit?.kind === "node" || hit?.kind === "port" ? hit.id : null;
    const { overlay } = this.bench;
    if (overlay.ports !== node) {
      overlay.ports = node;
      this.bench.redraw("motion");
    }
    const id = hit?.id ?? null;
    if (overlay.hovered === id) return;
    overlay.hovered = id;
    this.bench.events.hover(id);
  }

  down(pointer: Pointer): void {
    if (this.bench.painter()?.press(pointer.screen)) return;
    const packet = this.packetAt(pointer.world);
    if (packet !== null) {
      this.bench.events.pickPacket(packet);
      return;
    }
    const hit = this.hitAt(pointer);
    this.pressed = { pointer, hit };
    if (hit?.kind === "port") {
      this.gesture = new LinkGesture(this.bench, hit.id, "connect");
    } else if (hit?.kind === "handle") {
      this.gesture = new ResizeGesture(this.bench, hit.id, hit.edge);
    }
  }

  drag(pointer: Pointer): void {
    if (!this.pressed) return;
    if (!this.gesture && moved(this.pressed.pointer.screen, pointer.screen)) {
      this.gesture = this.begin(this.pressed.pointer, this.pressed.hit);
    }
    this.gesture?.move(pointer);
  }

  up(pointer: Pointer): void {
    const { pressed, gesture } = this;
    this.pressed = null;
    this.gesture = null;
    if (gesture) gesture.end(pointer);
    else if (pressed) this.click(pointer, pressed.hit);
  }

  cancel(): boolean {
    const active = this.gesture !== null;
    this.gesture?.cancel();
    this.gesture = null;
    this.pressed = null;
    return active;
  }

  cursor(): string {
    if (this.under?.kind === "port") return "crosshair";
    if (this.under?.kind === "handle") {
      return this.under.edge === "nw" || this.under.edge === "se" ? "nwse-resize" : "nesw-resize";
    }
    return this.under ? "pointer" : "default";
  }

  private click(pointer: Pointer, hit: Hit | null): void {
    const ids = hit ? [hit.id] : [];
    if (!pointer.toggle) this.bench.events.select(ids, "replace");
    else if (hit) this.bench.events.select(ids, "toggle");
  }

  private begin(start: Pointer, hit: Hit | null): Gesture | null {
    if (!hit) return new MarqueeGesture(this.bench, start.world);
    if (hit.kind === "link") return null;
    const selected = this.bench.selection();
    if (selected.has(hit.id)) return new MoveGesture(this.bench, start.world, hit.id, selected);
    this.bench.events.select([hit.id], start.toggle ? "add" : "replace");
    const ids = start.toggle ? new Set([...selected, hit.id]) : new Set([hit.id]);
    return new MoveGesture(this.bench, start.world, hit.id, ids);
  }

  private hitAt({ world }: Pointer): Hit | null {
    const { tester, camera, overlay } = this.bench;
    const selection = this.bench.selection();
    const only = selection.size === 1 ? [...selection][0] : undefined;
    const edge = only === undefined ? null : tester.handle(only, world, camera.zoom);
    if (only !== undefined && edge) return { kind: "handle", id: only, edge };
    if (overlay.ports && camera.zoom >= 0.25) {
      const side = tester.port(overlay.ports, world, camera.zoom);
      if (side) return { kind: "port", id: overlay.ports, side };
    }
    return tester.at(world, camera.zoom);
  }

  private packetAt(world: Point): number | null {
    const { traffic, camera } = this.bench;
    if (this.bench.tester.node(world)) return null;
    return traffic.at(world, PACKET_REACH / camera.zoom, this.bench.now())?.number ?? null;
  }
}

/** Draws a rectangle and selects what is in it. */
class MarqueeGesture implements Gesture {
  constructor(
    private readonly bench: Workbench,
    private readonly start: Point,
  ) {}

  move(pointer: Pointer): void {
    this.bench.overlay.marquee = between(this.start, pointer.world);
    this.bench.redraw("motion");
  }

  end(pointer: Pointer): void {
    const ids = this.bench.tester.inside(between(this.start, pointer.world));
    this.cancel();
    this.bench.events.select(ids, pointer.toggle ? "add" : "replace");
  }

  cancel(): void {
    this.bench.overlay.marquee = null;
    this.bench.redraw("motion");
  }
}
