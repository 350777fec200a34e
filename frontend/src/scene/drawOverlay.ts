/** What tools show: marquee, rubber cable, ghost, guides, port dots. Screen px, on the motion layer. */
import type { Camera } from "./camera";
import { drawGhost } from "./drawNodes";
import type { Point } from "./geometry";
import { portPoint, type Side } from "./hitTest";
import { drawIcon } from "./icons";
import type { SceneModel } from "./model";
import type { Overlay } from "./overlay";
import { disc, line, type Pen } from "./pen";
import type { Theme } from "./theme";

export interface OverlayView {
  pen: Pen;
  camera: Camera;
  model: SceneModel;
  overlay: Overlay;
  theme: Theme;
}

/** Size of a fresh note or group, world px. */
export const FRESH = { note: { width: 180, height: 90 }, group: { width: 320, height: 240 } };

export function drawOverlay(view: OverlayView): void {
  drawGuides(view);
  drawPorts(view);
  drawRubber(view);
  drawPlacement(view);
  drawMarquee(view);
}

function drawGuides({ pen, camera, overlay, theme }: OverlayView): void {
  pen.strokeStyle = theme.drift;
  pen.lineWidth = 1;
  pen.setLineDash([4, 3]);
  for (const guide of overlay.guides) {
    const vertical = guide.axis === "x";
    const from = camera.toScreen(
      vertical ? { x: guide.at, y: guide.from } : { x: guide.from, y: guide.at },
    );
    const to = camera.toScreen(
      vertical ? { x: guide.at, y: guide.to } : { x: guide.to, y: guide.at },
    );
    line(pen, from.x, from.y, to.x, to.y);
  }
  pen.setLineDash([]);
}

const SIDES: readonly Side[] = ["north", "east", "south", "west"];

function drawPorts({ pen, camera, model, overlay, theme }: OverlayView): void {
  const node = overlay.ports ? model.nodes.get(overlay.ports) : undefined;
  if (!node || camera.zoom < 0.25) return;
  for (const side of SIDES) {
    const { x, y } = camera.toScreen(portPoint(node, side));
    disc(pen, x, y, 6);
    pen.fillStyle = theme.accent;
    pen.fill();
    pen.strokeStyle = theme.canvas;
    pen.lineWidth = 2;
    pen.stroke();
    pen.strokeStyle = theme.canvas;
    pen.lineWidth = 1.6;
    line(pen, x - 2.6, y, x + 2.6, y);
    line(pen, x, y - 2.6, x, y + 2.6);
  }
}

function drawRubber(view: OverlayView): void {
  const { pen, camera, model, overlay, theme } = view;
  const { rubber } = overlay;
  const from = rubber ? model.nodes.get(rubber.from) : undefined;
  if (!rubber || !from) return;
  const color = { connect: theme.accent, probe: theme.ok, trace: theme.protocol.icmp }[rubber.what];
  const target = rubber.target ? model.nodes.get(rubber.target) : undefined;
  const start = camera.toScreen(from);
  const end = camera.toScreen(target ?? rubber.to);
  pen.strokeStyle = color;
  pen.lineWidth = 2.5;
  pen.lineCap = "round";
  pen.setLineDash(target ? [] : [6, 6]);
  line(pen, start.x, start.y, end.x, end.y);
  pen.setLineDash([]);
  ring(view, from, color);
  if (target) ring(view, target, color);
  else {
    disc(pen, end.x, end.y, 4);
    pen.fillStyle = color;
    pen.fill();
  }
}

function ring({ pen, camera }: OverlayView, at: Point, color: string): void {
  const { x, y } = camera.toScreen(at);
  const half = 34 * camera.zoom;
  pen.strokeStyle = color;
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.roundRect(x - half, y - half, 2 * half, 2 * half, 18 * camera.zoom);
  pen.stroke();
}

function drawPlacement(view: OverlayView): void {
  const { pen, camera, model, overlay, theme } = view;
  const { ghost } = overlay;
  if (!ghost) return;
  const link = ghost.link ? model.links.get(ghost.link) : undefined;
  if (link) {
    const [a, b] = [camera.toScreen(link.a), camera.toScreen(link.b)];
    pen.strokeStyle = theme.accent;
    pen.globalAlpha = 0.4;
    pen.lineWidth = Math.max(6, 10 * camera.zoom);
    line(pen, a.x, a.y, b.x, b.y);
    pen.globalAlpha = 1;
  }
  const { x, y } = camera.toScreen(ghost);
  pen.save();
  pen.translate(x, y);
  pen.scale(camera.zoom, camera.zoom);
  if (ghost.what === "note" || ghost.what === "group") boxGhost(pen, theme, ghost.what);
  else drawGhost(pen, theme, ghost.what);
  pen.restore();
}

function boxGhost(pen: Pen, theme: Theme, what: "note" | "group"): void {
  const { width, height } = FRESH[what];
  pen.globalAlpha = 0.6;
  pen.beginPath();
  pen.roundRect(0, 0, width, height, what === "group" ? 18 : 2);
  pen.fillStyle = what === "note" ? theme.note.fill : (theme.group.blue?.fill ?? theme.panel);
  pen.fill();
  pen.strokeStyle = what === "note" ? theme.note.edge : theme.accent;
  pen.lineWidth = 1.4;
  pen.setLineDash([5, 4]);
  pen.stroke();
  pen.setLineDash([]);
  pen.translate(24, 24);
  drawIcon(pen, what, 22);
  pen.globalAlpha = 1;
}

function drawMarquee({ pen, camera, overlay, theme }: OverlayView): void {
  const { marquee } = overlay;
  if (!marquee) return;
  const { x, y } = camera.toScreen(marquee);
  const [width, height] = [marquee.width * camera.zoom, marquee.height * camera.zoom];
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.fillStyle = theme.accent;
  pen.globalAlpha = 0.09;
  pen.fill();
  pen.globalAlpha = 1;
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 1.2;
  pen.stroke();
}
