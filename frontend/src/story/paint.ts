/** The marks themselves: lines, numbered stations, crosses with a word. Screen px. */

import type { MotionView } from "../scene/drawMotion";
import type { Point } from "../scene/geometry";
import { disc, line, type Pen } from "../scene/pen";
import { textWidth, wrap } from "../scene/text";
import { FONT, type Theme } from "../scene/theme";
import type { EndPlace } from "./places";

export type EndSign = "cross" | "question" | "stop";

const RADIUS = 9; // of a station
const ROOM = 230; // px for a line of a label
const MOST_LINES = 3;

const WAYS = {
  dry: { width: 2, dash: [1, 5] },
  mended: { width: 2.6, dash: [1, 7] },
  seen: { width: 3.5, dash: [] },
} as const;

/** A way along one cable: dotted when it was foretold, solid when the kernel showed it. */
export function paintWay(
  { surface: { pen }, theme }: MotionView,
  points: readonly Point[],
  kind: keyof typeof WAYS,
  arrow: boolean,
): void {
  const [first, ...rest] = points;
  if (!first) return;
  pen.beginPath();
  pen.moveTo(first.x, first.y);
  for (const { x, y } of rest) pen.lineTo(x, y);
  pen.lineCap = "round";
  pen.lineJoin = "round";
  const colors = { dry: theme.text2, mended: theme.pending, seen: theme.protocol.icmp };
  pen.strokeStyle = colors[kind];
  pen.lineWidth = WAYS[kind].width;
  pen.setLineDash([...WAYS[kind].dash]);
  pen.stroke();
  pen.setLineDash([]);
  if (arrow) paintArrow(pen, points);
}

/** A station by its number; the one that is looked at is filled. */
export function paintStation(
  { surface: { pen }, theme }: MotionView,
  { x, y }: Point,
  number: number,
  { current, bad }: { current: boolean; bad: boolean },
): void {
  const color = bad ? theme.bad : theme.protocol.icmp;
  if (current) {
    disc(pen, x, y, RADIUS + 4);
    pen.globalAlpha = 0.25;
    pen.fillStyle = color;
    pen.fill();
    pen.globalAlpha = 1;
  }
  disc(pen, x, y, RADIUS);
  pen.fillStyle = current ? color : theme.node;
  pen.fill();
  pen.strokeStyle = color;
  pen.lineWidth = 2;
  pen.stroke();
  pen.font = FONT.badge;
  pen.textAlign = "center";
  pen.fillStyle = current ? theme.node : color;
  pen.fillText(String(number), x, y + 4);
}

/** Where a packet ended: shape, colour and words say it. */
export function paintEnd(
  { surface: { pen }, theme }: MotionView,
  { x, y, above }: EndPlace,
  sign: EndSign,
  text: string,
  alpha: number,
): void {
  const color = { cross: theme.bad, question: theme.warn, stop: theme.text2 }[sign];
  pen.save();
  pen.translate(x, y);
  pen.globalAlpha = 0.9 * alpha;
  pen.fillStyle = theme.canvas;
  disc(pen, 0, 0, 11);
  pen.fill();
  pen.globalAlpha = 0.16 * alpha;
  pen.fillStyle = color;
  pen.fill();
  pen.globalAlpha = alpha;
  pen.strokeStyle = color;
  pen.fillStyle = color;
  paintSign(pen, sign);
  paintLabel(pen, theme, text, color, above);
  pen.restore();
}

function paintSign(pen: Pen, sign: EndSign): void {
  pen.lineWidth = 3;
  pen.lineCap = "round";
  if (sign === "cross") {
    line(pen, -5, -5, 5, 5);
    line(pen, 5, -5, -5, 5);
  } else if (sign === "stop") {
    pen.fillRect(-4.5, -4.5, 9, 9);
  } else {
    pen.font = FONT.mark;
    pen.textAlign = "center";
    pen.fillText("?", 0, 4.5);
  }
}

function paintLabel(pen: Pen, theme: Theme, text: string, color: string, above: boolean): void {
  const all = wrap(FONT.badge, text, ROOM);
  const lines = all.slice(0, MOST_LINES);
  if (all.length > MOST_LINES) lines[MOST_LINES - 1] = `${lines[MOST_LINES - 1]}…`;
  const half = Math.max(...lines.map((one) => textWidth(FONT.badge, one))) / 2 + 10;
  const height = lines.length * 15 + 8;
  const [tip, side, top] = above ? [-12, -19, -18 - height] : [12, 19, 18];
  pen.beginPath();
  pen.moveTo(-6, side);
  pen.lineTo(0, tip);
  pen.lineTo(6, side);
  pen.fill();
  pen.beginPath();
  pen.roundRect(-half, top, 2 * half, height, 6);
  pen.fill();
  pen.font = FONT.badge;
  pen.textAlign = "center";
  pen.fillStyle = color === theme.text2 ? theme.canvas : theme.onBad;
  lines.forEach((one, index) => {
    pen.fillText(one, 0, top + 15 + index * 15);
  });
}

/** An arrow head in the middle of a way. */
function paintArrow(pen: Pen, points: readonly Point[]): void {
  const middle = Math.floor(points.length / 2);
  const [from, tip] = [points[middle - 1], points[middle]];
  if (!from || !tip) return;
  const angle = Math.atan2(tip.y - from.y, tip.x - from.x);
  for (const side of [-0.6, 0.6]) {
    const [dx, dy] = [Math.cos(angle + side) * 9, Math.sin(angle + side) * 9];
    line(pen, tip.x, tip.y, tip.x - dx, tip.y - dy);
  }
}
