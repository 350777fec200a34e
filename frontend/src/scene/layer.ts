import type { Camera } from "./camera";
import type { Stamp, Surface } from "./pen";
import type { StampCache, StampFrame } from "./stamps";

/** One canvas over the whole host, and its surface for drawing. */
export class Layer implements Surface {
  readonly canvas = document.createElement("canvas");
  readonly pen: CanvasRenderingContext2D;
  ratio = 1; // device px a CSS px
  private frame: StampFrame = { scale: 1, x: 0, y: 0, coarse: false };

  constructor(
    host: HTMLElement,
    private readonly stamps: StampCache,
    opaque: boolean,
  ) {
    const context = this.canvas.getContext("2d", { alpha: !opaque });
    if (!context) throw new Error("This browser has no 2D canvas.");
    this.pen = context;
    this.canvas.setAttribute("aria-hidden", "true");
    Object.assign(this.canvas.style, {
      position: "absolute",
      inset: "0",
      width: "100%",
      height: "100%",
    });
    host.append(this.canvas);
  }

  /** Fits the bitmap to the view; setting a size clears it, so only when it differs. */
  resize(camera: Camera, ratio: number): boolean {
    const width = Math.round(camera.width * ratio);
    const height = Math.round(camera.height * ratio);
    this.ratio = ratio;
    if (this.canvas.width === width && this.canvas.height === height) return false;
    this.canvas.width = width;
    this.canvas.height = height;
    return true;
  }

  /** From here on, world px: the camera's zoom and place hold. `coarse` reuses pictures of a near scale. */
  inWorld(camera: Camera, coarse: boolean): void {
    const scale = this.ratio * camera.zoom;
    const x = Math.round(camera.x * this.ratio);
    const y = Math.round(camera.y * this.ratio);
    this.pen.setTransform(scale, 0, 0, scale, x, y);
    this.frame = { scale, x, y, coarse };
  }

  /** From here on, CSS px of the host. */
  inScreen(): void {
    this.pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.frame = { scale: this.ratio, x: 0, y: 0, coarse: false };
  }

  stamp(stamp: Stamp, x: number, y: number): void {
    this.stamps.draw(this.pen, this.frame, stamp, x, y);
  }
}
