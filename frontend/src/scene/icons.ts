/** Icons on a 24 × 24 box, stroked by the caller's pen; the same drawings as the page's SVG icons. */
import type { GlyphKind } from "./contract";
import { disc, type Pen } from "./pen";

/** Strokes an icon centred on the origin, `size` px wide, in the pen's stroke style. */
export function drawIcon(pen: Pen, kind: GlyphKind | "note" | "group", size: number): void {
  pen.save();
  pen.scale(size / 24, size / 24);
  pen.translate(-12, -12);
  pen.lineCap = "round";
  pen.lineJoin = "round";
  pen.lineWidth = 1.7;
  ICONS[kind](pen);
  pen.restore();
}

const ICONS: Record<GlyphKind | "note" | "group", (pen: Pen) => void> = {
  host(pen) {
    box(pen, 3, 4, 18, 12);
    strokes(pen, [
      [8, 20, 16, 20],
      [12, 16, 12, 20],
    ]);
  },
  router(pen) {
    disc(pen, 12, 12, 9);
    pen.stroke();
    pen.lineWidth = 1.5;
    strokes(pen, [
      [12, 5, 12, 10],
      [12, 14, 12, 19],
      [10, 7, 12, 5, 14, 7],
      [10, 17, 12, 19, 14, 17],
      [19, 12, 14, 12],
      [10, 12, 5, 12],
      [17, 10, 19, 12, 17, 14],
      [7, 10, 5, 12, 7, 14],
    ]);
  },
  switch(pen) {
    box(pen, 2.5, 6, 19, 12);
    pen.lineWidth = 1.5;
    strokes(pen, [
      [6, 10, 15, 10],
      [13, 8, 15, 10, 13, 12],
      [18, 14.5, 9, 14.5],
      [11, 12.5, 9, 14.5, 11, 16.5],
    ]);
  },
  uplink(pen) {
    pen.beginPath();
    pen.moveTo(7, 18);
    pen.quadraticCurveTo(2.5, 18, 2.5, 13.6);
    pen.quadraticCurveTo(2.5, 9.8, 6.4, 9.1);
    pen.quadraticCurveTo(7.4, 4.5, 12, 4.5);
    pen.quadraticCurveTo(16.6, 4.5, 17.7, 8.6);
    pen.quadraticCurveTo(21.8, 9.2, 21.8, 13.4);
    pen.quadraticCurveTo(21.8, 18, 17.3, 18);
    pen.closePath();
    pen.stroke();
  },
  note(pen) {
    strokes(pen, [
      [4, 4, 20, 4, 20, 15, 15, 20, 4, 20, 4, 4],
      [15, 20, 15, 15, 20, 15],
      [8, 9, 16, 9],
      [8, 13, 12, 13],
    ]);
  },
  group(pen) {
    pen.setLineDash([4, 3]);
    box(pen, 3, 3, 18, 18);
    pen.setLineDash([]);
  },
};

function box(pen: Pen, x: number, y: number, width: number, height: number): void {
  pen.beginPath();
  pen.roundRect(x, y, width, height, 2);
  pen.stroke();
}

/** Strokes polylines given as x, y, x, y, … */
function strokes(pen: Pen, lines: number[][]): void {
  pen.beginPath();
  for (const points of lines) {
    for (let i = 0; i + 1 < points.length; i += 2) {
      const [x, y] = [points[i] ?? 0, points[i + 1] ?? 0];
      if (i === 0) pen.moveTo(x, y);
      else pen.lineTo(x, y);
    }
  }
  pen.stroke();
}
