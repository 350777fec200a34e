import type { Camera } from "./camera";
import type { Layer } from "./layer";
import type { Theme } from "./theme";

const STEP = 20; // world px between dots

/** The canvas's ground with its grid of dots; a wider grid from afar, none from very far. */
export class Ground {
  private tile: { key: string; pattern: CanvasPattern } | null = null;

  draw(layer: Layer, camera: Camera, theme: Theme): void {
    const { pen } = layer;
    const { width, height } = layer.canvas;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.fillStyle = theme.canvas;
    pen.fillRect(0, 0, width, height);
    if (camera.zoom < 0.45) return;
    const step = STEP * (camera.zoom < 0.7 ? 2 : 1) * camera.zoom * layer.ratio;
    const pattern = this.pattern(pen, theme, layer.ratio, Math.round(step));
    if (!pattern) return;
    const scale = step / Math.round(step);
    const x = (camera.x * layer.ratio) % step;
    const y = (camera.y * layer.ratio) % step;
    pen.setTransform(scale, 0, 0, scale, x - step, y - step);
    pen.fillStyle = pattern;
    pen.fillRect(0, 0, (width + 2 * step) / scale, (height + 2 * step) / scale);
  }

  private pattern(
    pen: CanvasRenderingContext2D,
    theme: Theme,
    ratio: number,
    size: number,
  ): CanvasPattern | null {
    const key = `${theme.name} ${ratio} ${size}`;
    if (this.tile?.key === key) return this.tile.pattern;
    const canvas = new OffscreenCanvas(size, size);
    const tile = canvas.getContext("2d");
    if (!tile) return null;
    tile.fillStyle = theme.dot;
    tile.beginPath();
    tile.arc(size / 2, size / 2, 1.05 * ratio, 0, 2 * Math.PI);
    tile.fill();
    const pattern = pen.createPattern(canvas, "repeat");
    if (pattern) this.tile = { key, pattern };
    return pattern;
  }
}
