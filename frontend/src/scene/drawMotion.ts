/** The motion layer: packets, glows, and what tools show. Drawn in screen px, so that sizes hold at any zoom. */
import { type Glyph, glyphOf, glyphPath } from "../packets/glyphs";
import type { Camera } from "./camera";
import type { PacketPassage } from "./contract";
import { type Curve, curveLength, curvePoint, type Point } from "./geometry";
import type { SceneModel } from "./model";
import { disc, line, type Pen, type Surface } from "./pen";
import { textWidth } from "./text";
import { FONT, type Theme } from "./theme";
import { CROSS, endMargin, GLOW, type Traffic } from "./traffic";

const TAIL = 0.11; // of the cable's length

export interface MotionView {
  surface: Surface;
  camera: Camera;
  model: SceneModel;
  traffic: Traffic;
  theme: Theme;
  now: number;
}

export function drawTraffic(motion: MotionView): void {
  drawGlows(motion);
  drawHighlightedPath(motion);
  const shown = placed(motion);
  const radius = glyphRadius(motion.camera.zoom);
  drawTails(motion, shown, radius);
  for (const one of shown) drawGlyph(motion, one, radius);
  for (const passage of motion.traffic.passages) if (passage.lost) drawCross(motion, passage);
}

/** Draws a protocol's glyph at the origin; small ones without their letter. */
export function paintGlyph(pen: Pen, theme: Theme, glyph: Glyph, radius: number): void {
  const path = new Path2D(glyphPath(glyph.shape, radius));
  const context = pen as CanvasRenderingContext2D;
  context.lineJoin = "round";
  context.lineWidth = Math.min(3.2, radius * 0.46);
  context.strokeStyle = theme.canvas;
  context.stroke(path);
  context.fillStyle = theme.protocol[glyph.color];
  context.fill(path, "evenodd");
}

interface Placed {
  passage: PacketPassage;
  curve: Curve;
  t: number;
  x: number;
  y: number;
}

function placed({ traffic, camera, model, now }: MotionView): Placed[] {
  const shown: Placed[] = [];
  for (const passage of traffic.passages) {
    if (passage.lost && now >= passage.end) continue;
    const t = traffic.progress(passage, now);
    const curve = model.links.get(passage.link)?.curve;
    if (t === null || !curve) continue;
    const { x, y } = camera.toScreen(curvePoint(curve, t));
    if (x < -20 || y < -20 || x > camera.width + 20 || y > camera.height + 20) continue;
    shown.push({ passage, curve, t, x, y });
  }
  return shown;
}

/** Glyph radius in screen px: 7 at zoom 1, smaller from afar, never too small to see. */
function glyphRadius(zoom: number): number {
  return Math.min(10, Math.max(3, Math.round(14 * zoom) / 2));
}

function drawTails(
  { surface, camera, theme }: MotionView,
  shown: readonly Placed[],
  radius: number,
): void {
  const { pen } = surface;
  const byColor = new Map<string, Placed[]>();
  for (const one of shown) {
    // From afar the glyph hides its own tail.
    if (curveLength(one.curve) * camera.zoom * TAIL < 2 * radius) continue;
    const color = theme.protocol[glyphOf(one.passage.protocol).color];
    const list = byColor.get(color);
    if (list) list.push(one);
    else byColor.set(color, [one]);
  }
  pen.globalAlpha = 0.28;
  pen.lineCap = "round";
  pen.lineWidth = Math.max(2, 5 * Math.min(1.2, camera.zoom));
  for (const [color, list] of byColor) {
    pen.strokeStyle = color;
    pen.beginPath();
    for (const { passage, curve, t, x, y } of list) {
      const back = passage.forward ? Math.max(0, t - TAIL) : Math.min(1, t + TAIL);
      const tail = camera.toScreen(curvePoint(curve, back));
      pen.moveTo(tail.x, tail.y);
      pen.lineTo(x, y);
    }
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function drawGlyph(motion: MotionView, { passage, x, y }: Placed, radius: number): void {
  const { surface, theme, traffic } = motion;
  const glyph = glyphOf(passage.protocol);
  const half = Math.ceil(radius * 1.3 + 3);
  const box = { left: -half, top: -half, right: half, bottom: half };
  const key = `glyph ${theme.name} ${glyph.shape} ${glyph.color} ${radius}`;
  surface.stamp({ key, box, draw: (pen) => paintGlyph(pen, theme, glyph, radius) }, x, y);
  if (passage.packet !== traffic.highlighted) return;
  const { pen } = surface;
  disc(pen, x, y, radius + 5);
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2;
  pen.stroke();
}

function drawGlows({ traffic, surface, camera, model, theme, now }: MotionView): void {
  const { pen } = surface;
  pen.lineCap = "round";
  for (const [id, glow] of traffic.glows) {
    const link = model.links.get(id);
    if (!link) continue;
    pen.globalAlpha = 0.45 * Math.min(1, (glow.until - now) / GLOW);
    pen.strokeStyle = glow.protocol ? theme.protocol[glyphOf(glow.protocol).color] : theme.accent;
    pen.lineWidth = Math.max(4, 11 * camera.zoom);
    pen.beginPath();
    traceOnScreen(pen, camera, link.curve);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function drawHighlightedPath({ traffic, surface, camera, model, theme }: MotionView): void {
  if (traffic.highlighted === null) return;
  const { pen } = surface;
  pen.strokeStyle = theme.accent;
  pen.lineCap = "round";
  pen.lineWidth = Math.max(5, 10 * camera.zoom);
  pen.globalAlpha = 0.3;
  pen.beginPath();
  for (const id of traffic.pathOf(traffic.highlighted)) {
    const link = model.links.get(id);
    if (link) traceBetween(pen, camera, link.curve);
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

/** A red cross where a packet was lost, with the reason, fading out. */
function drawCross(motion: MotionView, passage: PacketPassage): void {
  const { traffic, camera, model, theme, now, surface } = motion;
  const curve = model.links.get(passage.link)?.curve;
  const t = traffic.progress(passage, now);
  if (!passage.lost || !curve || t === null || now < passage.end) return;
  const { pen } = surface;
  const { x, y } = camera.toScreen(curvePoint(curve, t));
  pen.save();
  pen.translate(x, y);
  const fade = Math.min(1, (passage.end + CROSS - now) / 800);
  pen.globalAlpha = 0.16 * fade;
  pen.fillStyle = theme.bad;
  disc(pen, 0, 0, 11);
  pen.fill();
  pen.globalAlpha = fade;
  pen.strokeStyle = theme.bad;
  pen.lineWidth = 3;
  pen.lineCap = "round";
  line(pen, -5, -5, 5, 5);
  line(pen, 5, -5, -5, 5);
  if (passage.lost.label) drawReason(pen, theme, passage.lost.label);
  pen.restore();
}

function drawReason(pen: Pen, theme: Theme, text: string): void {
  const half = textWidth(FONT.badge, text) / 2 + 10;
  pen.beginPath();
  pen.roundRect(-half, 15, 2 * half, 22, 6);
  pen.fillStyle = theme.bad;
  pen.fill();
  pen.font = FONT.badge;
  pen.textAlign = "center";
  pen.fillStyle = theme.onBad;
  pen.fillText(text, 0, 30);
}

/** The part of a cable between its nodes' boxes. */
function traceBetween(pen: Pen, camera: Camera, curve: Curve): void {
  const margin = endMargin(curveLength(curve));
  for (let step = 0; step <= 12; step++) {
    const t = margin + (step / 12) * (1 - 2 * margin);
    const { x, y } = camera.toScreen(curvePoint(curve, t));
    if (step === 0) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  }
}

function traceOnScreen(pen: Pen, camera: Camera, curve: Curve): void {
  const on = (x: number, y: number): Point => camera.toScreen({ x, y });
  const [a, c, b] = [on(curve.ax, curve.ay), on(curve.cx, curve.cy), on(curve.bx, curve.by)];
  pen.moveTo(a.x, a.y);
  if (curve.straight) pen.lineTo(b.x, b.y);
  else pen.quadraticCurveTo(c.x, c.y, b.x, b.y);
}
