import { drawStatic } from "./drawStatic";
import { inflate, type Rect } from "./geometry";
import { drawStamp } from "./pen";
import type { Scenery } from "./scenery";
import { escapeXml, SvgPen } from "./svgPen";

const MARGIN = 24;
const MOST = 8_192; // px a side of a bitmap

/** Everything on the canvas as one SVG document, at full detail. */
export function toSvg(scenery: Omit<Scenery, "surface">): string {
  const area = wholeArea(scenery);
  const pen = new SvgPen();
  drawStatic({ ...scenery, surface: pen, view: area, zoom: 1, selection: new Set() });
  const { x, y, width, height } = area;
  const ground = `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${escapeXml(scenery.theme.canvas)}"/>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="${x} ${y} ${width} ${height}">\n${ground}\n${pen.markup()}\n</svg>\n`
  );
}

/** Everything on the canvas as a PNG, `scale` px a world px (less when that would be too large). */
export async function toPng(scenery: Omit<Scenery, "surface">, scale: number): Promise<Blob> {
  const area = wholeArea(scenery);
  const fitting = Math.min(scale, MOST / area.width, MOST / area.height);
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(area.width * fitting)),
    Math.max(1, Math.round(area.height * fitting)),
  );
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no 2D canvas.");
  context.fillStyle = scenery.theme.canvas;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(fitting, 0, 0, fitting, -area.x * fitting, -area.y * fitting);
  const pen = context as unknown as CanvasRenderingContext2D;
  const surface: Scenery["surface"] = {
    pen,
    stamp: (stamp, x, y) => drawStamp(pen, stamp, x, y),
  };
  drawStatic({ ...scenery, surface, view: area, zoom: 1, selection: new Set() });
  return canvas.convertToBlob({ type: "image/png" });
}

function wholeArea({ model }: Omit<Scenery, "surface">): Rect {
  const bounds = model.bounds() ?? { x: 0, y: 0, width: 320, height: 200 };
  const { x, y, width, height } = inflate(bounds, MARGIN);
  return { x: Math.floor(x), y: Math.floor(y), width: Math.ceil(width), height: Math.ceil(height) };
}
