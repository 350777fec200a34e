/** The time-line's picture: stacked bars by protocol colour, the chosen span, the picked packet. */

import type { Theme } from "../../scene/theme";
import { type View, xOf } from "./brush";
import type { Span } from "./filter";
import { type Bar, BIN, COLORS } from "./histogram";

const TICK = 10; // s
const FOOT = 10; // px under the base line, for the ticks
const HEAD = 4; // px over the highest bar

export interface TimelinePicture {
  width: number; // CSS px
  height: number;
  view: View;
  bars: readonly Bar[];
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
  drawPicked(pen, picture);
}

/** Square root of the count: one packet is seen beside a thousand. */
function drawBars(pen: CanvasRenderingContext2D, picture: TimelinePicture): void {
  const { width, height, view, bars, span, theme } = picture;
  const peak = Math.max(4, ...bars.map((bar) => bar.total));
  const room = height - FOOT - HEAD;
  const step = xOf(view.from + BIN, view, width);
  for (const bar of bars) {
    const x = xOf(bar.start, view, width);
    const full = Math.max(3, room * Math.sqrt(bar.total / peak));
    pen.globalAlpha = outside(bar, span) ? 0.35 : 1;
    let y = height - FOOT;
    bar.counts.forEach((count, at) => {
      if (count === 0) return;
      const tall = (full * count) / bar.total;
      pen.fillStyle = theme.protocol[COLORS[at] ?? "other"];
      pen.fillRect(x, y - tall, Math.max(1, step - 1), tall);
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
  const first = origin + Math.ceil((view.from - origin) / TICK) * TICK;
  for (let time = first; time <= view.to; time += TICK) {
    pen.fillRect(Math.round(xOf(time, view, width)), base, 1, 4);
  }
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
