/** The time-line's picture: stacked bars by protocol colour, the chosen span, the picked packet. */

import type { Theme } from "../../scene/theme";
import { type View, xOf } from "./brush";
import type { Span } from "./filter";
import { type Bar, COLORS } from "./histogram";
import { ticksOf } from "./zoom";

const TICK = 90; // px between two ticks, at least
const FOOT = 15; // px under the base line, for the ticks
const HEAD = 4; // px over the highest bar
const APART = 6; // px: marks that are nearer are one mark
const FONT = '9.5px "JetBrains Mono Variable", ui-monospace, monospace';

export interface TimelinePicture {
  width: number; // CSS px
  height: number;
  view: View;
  bars: readonly Bar[];
  bin: number; // s a bar
  drops: readonly number[]; // s
  head: number | null; // s; the moment that is replayed
  span: Span;
  origin: number; // s; ticks count from here
  picked: number | null; // s
  theme: Theme;
}

export function drawTimeline(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height } = picture;
  pen.clearRect(0, 0, width, height);
  drawSpan(pen, picture);
  drawBars(pen, picture);
  drawAxis(pen, picture);
  drawDrops(pen, picture);
  drawPicked(pen, picture);
  drawHead(pen, picture);
}

/** Square root of the count: one packet is seen beside a thousand. */
function drawBars(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height, view, bars, span, theme, bin } = picture;
  const peak = Math.max(4, ...bars.map((bar) => bar.total));
  const room = height - FOOT - HEAD;
  const step = xOf(view.from + bin, view, width);
  for (const bar of bars) {
    const x = xOf(bar.start, view, width);
    const full = Math.max(3, room * Math.sqrt(bar.total / peak));
    pen.globalAlpha = outside(bar, span) ? 0.35 : 1;
    let y = height - FOOT;
    bar.counts.forEach((count, at) => {
      if (count === 0) return;
      const tall = (full * count) / bar.total;
      pen.fillStyle = theme.protocol[COLORS[at] ?? "other"];
      pen.fillRect(x, y - tall, Math.max(1.5, step - 1), tall);
      y -= tall;
    });
  }
  pen.globalAlpha = 1;
}

function outside(bar: Bar, span: Span): boolean {
  return (
    (span.from !== null && bar.start < span.from) || (span.to !== null && bar.start >= span.to)
  );
}

function drawSpan(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height, view, span, theme } = picture;
  if (span.from === null && span.to === null) return;
  const left = span.from === null ? 0 : xOf(span.from, view, width);
  const right = span.to === null ? width : xOf(span.to, view, width);
  pen.globalAlpha = 0.12;
  pen.fillStyle = theme.accent;
  pen.fillRect(left, 0, right - left, height - FOOT);
  pen.globalAlpha = 1;
  if (span.from !== null) pen.fillRect(left, 0, 1.5, height - FOOT);
  if (span.to !== null) pen.fillRect(right - 1.5, 0, 1.5, height - FOOT);
}

function drawAxis(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height, view, origin, theme } = picture;
  const base = height - FOOT;
  pen.fillStyle = theme.line2;
  pen.fillRect(0, base, width, 1);
  pen.fillStyle = theme.text2;
  pen.font = FONT;
  pen.textAlign = "center";
  const since = { from: view.from - origin, to: view.to - origin };
  const ticks = ticksOf(since, Math.max(1, width / TICK));
  const [first = 0, second = 1] = ticks;
  for (const tick of ticks) {
    if (tick < 0) continue; // before the first packet
    const x = Math.round(xOf(origin + tick, view, width));
    pen.fillRect(x, base, 1, 4);
    if (x > 24 && x < width - 24) pen.fillText(tickText(tick, second - first), x, base + 13);
  }
}

/** A moment since the first packet, with as many digits as tell ticks apart; s. */
export function tickText(tick: number, step: number): string {
  const digits = step >= 1 ? 0 : Math.min(7, Math.ceil(-Math.log10(step) - 1e-9));
  const minutes = Math.floor((tick + step / 1e3) / 60);
  const rest = Math.abs(tick - minutes * 60).toFixed(digits);
  return `${minutes}:${rest.padStart(digits === 0 ? 2 : digits + 3, "0")}`;
}

/** Packets that ended: a red cross, whatever their number. */
function drawDrops(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, view, drops, theme } = picture;
  let last = Number.NEGATIVE_INFINITY;
  pen.strokeStyle = theme.bad;
  pen.lineWidth = 2;
  pen.lineCap = "round";
  for (const time of drops) {
    const x = xOf(time, view, width);
    if (time < view.from || time > view.to || x - last < APART) continue;
    last = x;
    pen.beginPath();
    pen.moveTo(x - 3.5, 3);
    pen.lineTo(x + 3.5, 10);
    pen.moveTo(x + 3.5, 3);
    pen.lineTo(x - 3.5, 10);
    pen.stroke();
  }
}

/** The moment that the canvas shows. */
function drawHead(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height, view, head, theme } = picture;
  if (head === null || head < view.from || head > view.to) return;
  const x = xOf(head, view, width);
  pen.fillStyle = theme.accent;
  pen.fillRect(x - 1, 0, 2, height - FOOT);
  pen.beginPath();
  pen.moveTo(x - 5, height - FOOT + 7);
  pen.lineTo(x + 5, height - FOOT + 7);
  pen.lineTo(x, height - FOOT);
  pen.fill();
}

function drawPicked(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height, view, picked, theme } = picture;
  if (picked === null || picked < view.from || picked > view.to) return;
  const x = xOf(picked, view, width);
  pen.fillStyle = theme.bad;
  pen.fillRect(x - 1, 0, 2, height);
  pen.beginPath();
  pen.moveTo(x - 6, 0);
  pen.lineTo(x + 6, 0);
  pen.lineTo(x, 8);
  pen.fill();
}
