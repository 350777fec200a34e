import type { Point } from "./geometry";
import { PanTool } from "./tools/panTool";
import type { Pointer, ToolHandler, Workbench } from "./tools/tool";

export interface InputEvents {
  /** Sizes below, tools and clicks above: what the pointer means is the tool's matter. */
  cameraMoved(): void;
  menu(screen: Point, clientX: number, clientY: number): void;
  open(world: Point): void;
  /** A tap of one finger on empty ground, which otherwise pans. */
  tapNothing(): void;
}

/** Pointer, wheel and pinch on the top canvas, turned into tool calls and camera moves. */
export class Input {
  private readonly pan: PanTool;
  private readonly fingers = new Map<number, Point>();
  private readonly listening = new AbortController();
  private active: ToolHandler | null = null; // the handler of the press under way
  private activeId = -1;
  private pinch: { distance: number; middle: Point } | null = null;
  private space = false;
  private inside = false;
  private travelled = 0;
  private lastScreen: Point = { x: 0, y: 0 };

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly bench: Workbench,
    private readonly tool: () => ToolHandler,
    private readonly events: InputEvents,
  ) {
    this.pan = new PanTool(bench);
    this.listen();
  }

  /** Gives up the press under way. */
  cancel(): boolean {
    const handler = this.active ?? this.tool();
    this.active = null;
    const done = handler.cancel();
    this.refreshCursor();
    return done;
  }

  refreshCursor(): void {
    const handler = this.active ?? (this.space ? this.pan : this.tool());
    this.canvas.style.cursor = handler.cursor();
  }

  destroy(): void {
    this.listening.abort();
  }

  private listen(): void {
    const { signal } = this.listening;
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      handle: (event: HTMLElementEventMap[K]) => void,
    ) => this.canvas.addEventListener(type, handle, { signal, passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.lose(event));
    on("pointerenter", () => {
      this.inside = true;
    });
    on("pointerleave", (event) => this.leave(event));
    on("wheel", (event) => this.wheel(event));
    on("contextmenu", (event) => {
      event.preventDefault();
      this.cancelPress();
      this.events.menu(this.screen(event), event.clientX, event.clientY);
    });
    on("dblclick", (event) => this.events.open(this.bench.camera.toWorld(this.screen(event))));
    window.addEventListener("keydown", (event) => this.key(event, true), { signal, capture: true });
    window.addEventListener("keyup", (event) => this.key(event, false), { signal, capture: true });
    window.addEventListener("blur", () => this.release(), { signal });
  }

  private down(event: PointerEvent): void {
    if (event.pointerType === "touch") this.fingers.set(event.pointerId, this.screen(event));
    if (this.fingers.size === 2) {
      this.cancelPress();
      this.pinch = this.span();
      return;
    }
    if (this.active || event.button === 2 || this.fingers.size > 2) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.activeId = event.pointerId;
    this.travelled = 0;
    this.lastScreen = this.screen(event);
    const pointer = this.pointer(event);
    this.active = this.handlerFor(event, pointer);
    this.active.down(pointer);
    this.refreshCursor();
  }

  private handlerFor(event: PointerEvent, pointer: Pointer): ToolHandler {
    if (this.space || event.button === 1) return this.pan;
    const tool = this.tool();
    const ground = this.bench.tester.at(pointer.world, this.bench.camera.zoom) === null;
    const panning = event.pointerType === "touch" && ground && tool.touchPans === true;
    return panning ? this.pan : tool;
  }

  private move(event: PointerEvent): void {
    if (this.fingers.has(event.pointerId)) {
      this.fingers.set(event.pointerId, this.screen(event));
      if (this.pinch) {
        this.pinchTo(this.span());
        return;
      }
    }
    const pointer = this.pointer(event);
    if (!this.active) {
      if (!this.pinch && !this.space) this.tool().hover(pointer);
    } else if (event.pointerId === this.activeId) {
      this.travelled += Math.hypot(
        pointer.screen.x - this.lastScreen.x,
        pointer.screen.y - this.lastScreen.y,
      );
      this.lastScreen = pointer.screen;
      this.active.drag(pointer);
      if (this.active === this.pan) this.events.cameraMoved();
    }
    this.refreshCursor();
  }

  private up(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.fingers.size < 2) this.pinch = null;
    if (!this.active || event.pointerId !== this.activeId) return;
    const handler = this.active;
    this.active = null;
    handler.up(this.pointer(event));
    const tap = handler === this.pan && event.pointerType === "touch" && this.travelled < 6;
    if (tap) this.events.tapNothing();
    this.refreshCursor();
  }

  private lose(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.fingers.size < 2) this.pinch = null;
    if (event.pointerId === this.activeId) this.cancelPress();
  }

  private leave(event: PointerEvent): void {
    this.inside = false;
    if (this.active) return;
    const outside = { x: -1e6, y: -1e6 };
    this.tool().hover({ ...this.pointer(event), screen: outside, world: outside });
  }

  private cancelPress(): void {
    const handler = this.active;
    this.active = null;
    handler?.cancel();
    this.refreshCursor();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { camera } = this.bench;
    if (event.ctrlKey || event.metaKey || isMouseWheel(event)) {
      const pixels = event.deltaMode === 1 ? event.deltaY * 20 : event.deltaY;
      const speed = event.ctrlKey && !isMouseWheel(event) ? 0.01 : 0.0016;
      camera.zoomAt(this.screen(event), Math.exp(-pixels * speed));
    } else if (event.shiftKey && event.deltaX === 0) {
      camera.panBy(-event.deltaY, 0);
    } else {
      camera.panBy(-event.deltaX, -event.deltaY);
    }
    this.events.cameraMoved();
  }

  private key(event: KeyboardEvent, pressed: boolean): void {
    if (event.key === "Escape" && pressed && this.active) {
      this.cancelPress();
      event.stopPropagation();
      event.preventDefault();
    }
    if (event.code !== "Space") return;
    if (pressed && (!this.inside || takesKeys(event.target))) return;
    if (pressed) event.preventDefault();
    this.space = pressed;
    this.refreshCursor();
  }

  private release(): void {
    this.space = false;
    this.fingers.clear();
    this.pinch = null;
    this.cancelPress();
  }

  private span(): { distance: number; middle: Point } {
    const [one, other] = [...this.fingers.values()];
    if (!one || !other) return { distance: 1, middle: one ?? { x: 0, y: 0 } };
    return {
      distance: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
      middle: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
    };
  }

  private pinchTo(next: { distance: number; middle: Point }): void {
    if (!this.pinch) return;
    const { camera } = this.bench;
    camera.panBy(next.middle.x - this.pinch.middle.x, next.middle.y - this.pinch.middle.y);
    camera.zoomAt(next.middle, next.distance / this.pinch.distance);
    this.pinch = next;
    this.events.cameraMoved();
  }

  private screen(event: MouseEvent): Point {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  private pointer(event: PointerEvent): Pointer {
    const screen = this.screen(event);
    return {
      screen,
      world: this.bench.camera.toWorld(screen),
      shift: event.shiftKey,
      alt: event.altKey,
      toggle: event.shiftKey || event.metaKey || event.ctrlKey,
    };
  }
}

/** A notched wheel, by its big whole steps straight down; a touchpad's are small or slanted. */
function isMouseWheel(event: WheelEvent): boolean {
  if (event.shiftKey) return false;
  if (event.deltaMode !== 0) return true;
  return event.deltaX === 0 && Number.isInteger(event.deltaY) && Math.abs(event.deltaY) >= 50;
}

/** Whether an element makes use of the space bar itself. */
function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest("input, textarea, select, button, a, [role=treeitem], [role=option]") !== null
  );
}
