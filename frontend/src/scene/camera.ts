import type { Point, Rect } from "./geometry";

export const MIN_ZOOM = 0.05;
export const MAX_ZOOM = 4;

/** Where the view stands: screen = world × zoom + offset, in CSS px of the host. */
export class Camera {
  x = 0;
  y = 0;
  zoom = 1;
  width = 1;
  height = 1;

  resize(width: number, height: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  toWorld(screen: Point): Point {
    return { x: (screen.x - this.x) / this.zoom, y: (screen.y - this.y) / this.zoom };
  }

  toScreen(world: Point): Point {
    return { x: world.x * this.zoom + this.x, y: world.y * this.zoom + this.y };
  }

  /** The part of the world in view. */
  view(): Rect {
    const { x, y } = this.toWorld({ x: 0, y: 0 });
    return { x, y, width: this.width / this.zoom, height: this.height / this.zoom };
  }

  panBy(dx: number, dy: number): void {
    this.x += dx;
    this.y += dy;
  }

  /** Zooms so that the world point under `at` (screen) stays there. */
  zoomAt(at: Point, factor: number): void {
    const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, this.zoom * factor));
    const world = this.toWorld(at);
    this.zoom = zoom;
    this.x = at.x - world.x * zoom;
    this.y = at.y - world.y * zoom;
  }

  centerOn(world: Point): void {
    this.x = this.width / 2 - world.x * this.zoom;
    this.y = this.height / 2 - world.y * this.zoom;
  }

  /** Shows the whole rectangle with a margin, never nearer than `most`. */
  fit(rect: Rect, margin = 56, most = 1.25): void {
    const room = (side: number) => Math.max(40, side - 2 * margin);
    const zoom = Math.min(
      room(this.width) / Math.max(1, rect.width),
      room(this.height) / Math.max(1, rect.height),
      most,
    );
    this.zoom = Math.max(MIN_ZOOM, zoom);
    this.centerOn({ x: rect.x + rect.width / 2, y: rect.y + rect.height / 2 });
  }
}
