import type { Pen, Stamp, StampBox } from "./pen";

interface Sprite {
  image: CanvasImageSource;
  scale: number; // px a px of the picture
  pixels: number;
}

/** How world px become device px in this frame. */
export interface StampFrame {
  scale: number;
  x: number;
  y: number;
  coarse: boolean; // take a picture of a near scale, as the next frame's will differ again
}

// Late pictures made in one frame at rest, and while zooming; the others follow in the next ones.
const AT_REST = 32;
const IN_HASTE = 6;
const MOST_PIXELS = 12_000_000; // about 48 MB

/**
 * Pictures drawn once and copied after that, one for each key and scale. Copying a small bitmap is
 * several times cheaper than stroking text and paths again, above all without a GPU.
 */
export class StampCache {
  private readonly sprites = new Map<number, Map<string, Sprite>>(); // by scale, then by key
  private readonly latest = new Map<string, Sprite>(); // of each key, whatever its scale
  private pixels = 0;
  private left = AT_REST;
  /** Whether something in this frame was left out or blurred, for want of time. */
  missed = false;

  begin(haste: boolean): void {
    this.left = haste ? IN_HASTE : AT_REST;
    this.missed = false;
  }

  /** Copies the picture with its origin at a world point, on whole device px. */
  draw(
    target: CanvasRenderingContext2D,
    frame: StampFrame,
    stamp: Stamp,
    x: number,
    y: number,
  ): void {
    const { size = 1, box, steady = false } = stamp;
    const wanted = frame.scale * size;
    const sprite = this.sprite(stamp, frame.coarse && !steady ? nearScale(wanted) : wanted);
    if (!sprite) return;
    const [left, top, width, height] = pixelBox(box, sprite.scale);
    const unit = size / sprite.scale; // world px a px of the bitmap
    target.drawImage(
      sprite.image,
      snap(x + left * unit, frame.scale, frame.x),
      snap(y + top * unit, frame.scale, frame.y),
      width * unit,
      height * unit,
    );
  }

  clear(): void {
    this.sprites.clear();
    this.latest.clear();
    this.pixels = 0;
  }

  private sprite({ key, box, draw, late }: Stamp, scale: number): Sprite | undefined {
    const known = this.sprites.get(scale)?.get(key);
    if (known) return known;
    if (late && this.left-- <= 0) {
      this.missed = true;
      return this.latest.get(key);
    }
    return this.make(key, scale, box, draw);
  }

  private make(
    key: string,
    scale: number,
    box: StampBox,
    draw: (pen: Pen) => void,
  ): Sprite | undefined {
    const sprite = render(scale, box, draw);
    if (!sprite) return undefined;
    if (this.pixels + sprite.pixels > MOST_PIXELS) this.clear();
    this.pixels += sprite.pixels;
    const same = this.sprites.get(scale);
    if (same) same.set(key, sprite);
    else this.sprites.set(scale, new Map([[key, sprite]]));
    this.latest.set(key, sprite);
    return sprite;
  }
}

/** The next of four steps an octave: few pictures while zooming, never drawn larger than they are. */
function nearScale(scale: number): number {
  return 2 ** (Math.ceil(Math.log2(scale) * 4 - 1e-6) / 4);
}

/** World coordinate moved to a whole device px, so that a picture is copied and not resampled. */
function snap(world: number, scale: number, offset: number): number {
  return (Math.round(world * scale + offset) - offset) / scale;
}

/** Left, top, width and height in whole px of the bitmap. */
function pixelBox(box: StampBox, scale: number): [number, number, number, number] {
  const left = Math.floor(box.left * scale);
  const top = Math.floor(box.top * scale);
  const width = Math.max(1, Math.ceil(box.right * scale) - left);
  const height = Math.max(1, Math.ceil(box.bottom * scale) - top);
  return [left, top, width, height];
}

function render(scale: number, box: StampBox, draw: (pen: Pen) => void): Sprite | null {
  const [left, top, width, height] = pixelBox(box, scale);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.setTransform(scale, 0, 0, scale, -left, -top);
  draw(context as unknown as Pen);
  return { image: canvas.transferToImageBitmap(), scale, pixels: width * height };
}
