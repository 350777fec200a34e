import type { Point } from "../geometry";
import type { Pointer, ToolHandler, Workbench } from "./tool";

/** Drags the view. Also what space and the middle button do in any tool. */
export class PanTool implements ToolHandler {
  private last: Point | null = null;

  constructor(private readonly bench: Workbench) {}

  hover(): void {
    this.bench.overlay.ports = null;
  }

  down(pointer: Pointer): void {
    this.last = pointer.screen;
  }

  drag(pointer: Pointer): void {
    if (!this.last) return;
    this.bench.camera.panBy(pointer.screen.x - this.last.x, pointer.screen.y - this.last.y);
    this.last = pointer.screen;
    this.bench.redraw("all");
  }

  up(): void {
    this.last = null;
  }

  cancel(): boolean {
    const active = this.last !== null;
    this.last = null;
    return active;
  }

  cursor(): string {
    return this.last ? "grabbing" : "grab";
  }
}
