/** Nodes: a rounded box with an icon, a state mark, badges, and the name below. */
import type { SceneNode } from "./contract";
import { badgesKey, drawBadges } from "./drawBadges";
import { inflate } from "./geometry";
import { drawIcon } from "./icons";
import { NODE_SIZE, type NodeItem } from "./model";
import { disc, haloText, line, type Pen } from "./pen";
import { DETAIL, type Scenery } from "./scenery";
import { textWidth } from "./text";
import { FONT, kindColor, type Theme } from "./theme";

const HALF = NODE_SIZE / 2;
const RADIUS = 14;
const LEGIBLE = 0.75; // of the full size
const CORNER = 23; // where marks sit, from the centre

export function visibleNodes(scenery: Scenery): NodeItem[] {
  const { x, y, width, height } = inflate(scenery.view, 64);
  return [...scenery.model.nodes.values()].filter(
    (node) => node.x >= x && node.y >= y && node.x <= x + width && node.y <= y + height,
  );
}

export function drawNodes(scenery: Scenery, nodes: readonly NodeItem[]): void {
  if (scenery.zoom < DETAIL.names) {
    drawTiles(scenery, nodes);
    return;
  }
  const size = textSize(scenery.zoom);
  for (const node of nodes) drawNodeText(scenery, node, size);
  for (const node of nodes) {
    if (scenery.selection.has(node.id)) drawRing(scenery.surface.pen, scenery.theme, node);
    drawBody(scenery, node);
  }
}

/** A node that is not there yet, under the pointer. */
export function drawGhost(pen: Pen, theme: Theme, kind: SceneNode["kind"]): void {
  body(pen, theme, { kind, state: "planned" });
}

/** The state's mark: shape, colour and sign, at the origin. Drafts have none. */
export function drawStateMark(pen: Pen, theme: Theme, state: SceneNode["state"]): void {
  const draw = MARKS[state];
  if (!draw) return;
  pen.lineJoin = "round";
  pen.lineCap = "round";
  draw(pen, theme);
}

const MARKS: Partial<Record<SceneNode["state"], (pen: Pen, theme: Theme) => void>> = {
  up: (pen, theme) => mark(pen, theme.ok, theme, () => disc(pen, 0, 0, 6)),
  warning(pen, theme) {
    mark(pen, theme.warn, theme, () => {
      pen.beginPath();
      pen.moveTo(0, -7);
      pen.lineTo(7.5, 6);
      pen.lineTo(-7.5, 6);
      pen.closePath();
    });
    sign(pen, theme, [0, -2, 0, 1.5], [0, 4, 0, 4]);
  },
  down(pen, theme) {
    mark(pen, theme.bad, theme, () => {
      pen.beginPath();
      pen.roundRect(-6.5, -6.5, 13, 13, 3);
    });
    sign(pen, theme, [-2.4, -2.4, 2.4, 2.4], [2.4, -2.4, -2.4, 2.4]);
  },
  planned(pen, theme) {
    mark(pen, theme.pending, theme, () => disc(pen, 0, 0, 6.5));
    sign(pen, theme, [-2.8, 0, 2.8, 0], [0, -2.8, 0, 2.8]);
  },
  stale(pen, theme) {
    mark(pen, theme.off, theme, () => disc(pen, 0, 0, 6.5));
    letter(pen, theme.canvas, "?", 3.2);
  },
};

function drawBody(scenery: Scenery, node: NodeItem): void {
  const { theme, surface } = scenery;
  const { kind, state, drift, problem } = node.data;
  const box = { left: -37, top: -36, right: 36, bottom: 38 };
  const detailed = scenery.zoom >= DETAIL.full;
  const badges = detailed ? badgesKey(node.data.badges) : "";
  const key = `node ${theme.name} ${kind} ${state} ${drift} ${problem} ${badges}`;
  surface.stamp(
    {
      key,
      box,
      draw: (pen) => {
        body(pen, theme, node.data);
        at(pen, CORNER, -CORNER, () => drawStateMark(pen, theme, state));
        if (drift) at(pen, -CORNER - 1, -CORNER - 1, () => driftBadge(pen, theme));
        if (detailed) drawBadges(pen, theme, node.data.badges);
        if (problem) at(pen, CORNER + 1, CORNER, () => problemBadge(pen, theme, problem));
      },
    },
    node.x,
    node.y,
  );
}

function body(pen: Pen, theme: Theme, node: Pick<SceneNode, "kind" | "state">): void {
  const color = kindColor(theme, node.kind);
  const planned = node.state === "planned";
  outline(pen, 0);
  pen.fillStyle = theme.canvas;
  pen.fill();
  pen.globalAlpha = planned ? 0.6 : node.state === "stale" ? 0.5 : 1;
  if (!planned) shadow(pen, theme);
  outline(pen, 0);
  pen.fillStyle = theme.node;
  pen.fill();
  pen.strokeStyle = color;
  pen.lineWidth = 1.6;
  pen.setLineDash(planned ? [5, 4] : []);
  pen.stroke();
  pen.setLineDash([]);
  drawIcon(pen, node.kind, 30);
  pen.globalAlpha = 1;
}

/** A soft edge below, from a few translucent boxes: blur is dear without a GPU. */
function shadow(pen: Pen, theme: Theme): void {
  pen.fillStyle = theme.shadow;
  const alpha = pen.globalAlpha;
  pen.globalAlpha = alpha * 0.38;
  for (const spread of [2.5, 1.5, 0.5]) {
    pen.beginPath();
    pen.roundRect(
      -HALF - spread,
      -HALF - spread + 2.5,
      NODE_SIZE + 2 * spread,
      NODE_SIZE + 2 * spread,
      RADIUS + spread,
    );
    pen.fill();
  }
  pen.globalAlpha = alpha;
}

function outline(pen: Pen, spread: number): void {
  pen.beginPath();
  const size = NODE_SIZE + 2 * spread;
  pen.roundRect(-HALF - spread, -HALF - spread, size, size, RADIUS + spread * 0.6);
}

function drawRing(pen: Pen, theme: Theme, node: NodeItem): void {
  at(pen, node.x, node.y, () => {
    outline(pen, 5);
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 2;
    pen.stroke();
  });
}

function driftBadge(pen: Pen, theme: Theme): void {
  mark(pen, theme.drift, theme, () => {
    pen.beginPath();
    pen.roundRect(-10, -9, 20, 18, 6);
  });
  letter(pen, theme.canvas, "≠", 4.3);
}

function problemBadge(pen: Pen, theme: Theme, problem: "error" | "warning"): void {
  const color = problem === "error" ? theme.bad : theme.warn;
  mark(pen, color, theme, () => {
    pen.beginPath();
    if (problem === "error") pen.arc(0, 0, 8, 0, 2 * Math.PI);
    else pen.roundRect(-7.5, -7.5, 15, 15, 4);
  });
  letter(pen, theme.canvas, "!", 4.3);
}

function mark(pen: Pen, color: string, theme: Theme, path: () => void): void {
  path();
  pen.strokeStyle = theme.canvas;
  pen.lineWidth = 4;
  pen.stroke();
  pen.fillStyle = color;
  pen.fill();
}

function sign(pen: Pen, theme: Theme, ...lines: [number, number, number, number][]): void {
  pen.strokeStyle = theme.canvas;
  pen.lineWidth = 1.8;
  for (const [ax, ay, bx, by] of lines) line(pen, ax, ay, bx, by);
}

function letter(pen: Pen, color: string, text: string, baseline: number): void {
  pen.font = FONT.mark;
  pen.textAlign = "center";
  pen.fillStyle = color;
  pen.fillText(text, 0, baseline);
}

function drawNodeText(scenery: Scenery, node: NodeItem, size: number): void {
  const { theme, surface } = scenery;
  const { name } = node.data;
  const label = scenery.zoom >= DETAIL.full ? node.data.label : "";
  const half = Math.max(textWidth(FONT.name, name), textWidth(FONT.address, label)) / 2 + 4;
  const draw = (pen: Pen): void => {
    pen.textAlign = "center";
    pen.font = FONT.name;
    pen.fillStyle = theme.text;
    haloText(pen, name, 0, 0, theme.canvas);
    if (!label) return;
    pen.font = FONT.address;
    pen.fillStyle = theme.text2;
    haloText(pen, label, 0, 14, theme.canvas);
  };
  const box = { left: -half, top: -16, right: half, bottom: label ? 20 : 6 };
  const key = `name ${theme.name} ${name}\n${label}`;
  surface.stamp(
    { key, box, draw, size, steady: size > 1, late: true },
    node.x,
    node.y + HALF + 3 + 13 * size,
  );
}

/** World px a px of text: as one moves away, text keeps its size on the screen, to stay legible. */
function textSize(zoom: number): number {
  return Math.max(1, LEGIBLE / zoom);
}

/** From afar: a coloured tile each; what needs attention or is chosen gets a picture of its own. */
function drawTiles(scenery: Scenery, nodes: readonly NodeItem[]): void {
  const plain = new Map<string, NodeItem[]>();
  for (const node of nodes) {
    if (needsPicture(scenery, node)) drawTilePicture(scenery, node);
    else {
      const color = kindColor(scenery.theme, node.data.kind);
      const same = plain.get(color);
      if (same) same.push(node);
      else plain.set(color, [node]);
    }
  }
  const { pen } = scenery.surface;
  for (const [color, same] of plain) {
    pen.fillStyle = color;
    for (const { x, y } of same) pen.fillRect(x - HALF, y - HALF, NODE_SIZE, NODE_SIZE);
  }
}

function needsPicture({ selection, theme }: Scenery, { id, data }: NodeItem): boolean {
  const faint = data.state === "planned" || data.state === "stale";
  return faint || selection.has(id) || alarmColor(theme, data) !== null;
}

function drawTilePicture({ theme, surface, selection }: Scenery, node: NodeItem): void {
  const { kind, state, drift, problem } = node.data;
  const chosen = selection.has(node.id);
  const box = { left: -36, top: -36, right: 36, bottom: 36 };
  const key = `tile ${theme.name} ${kind} ${state} ${drift} ${problem} ${chosen}`;
  const draw = (pen: Pen): void => tile(pen, theme, node.data, chosen);
  surface.stamp({ key, box, draw, steady: true }, node.x, node.y);
}

function tile(pen: Pen, theme: Theme, node: SceneNode, chosen: boolean): void {
  outline(pen, 0);
  pen.fillStyle = kindColor(theme, node.kind);
  pen.globalAlpha = node.state === "planned" || node.state === "stale" ? 0.5 : 1;
  pen.fill();
  pen.globalAlpha = 1;
  if (chosen) {
    outline(pen, 5);
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 8;
    pen.stroke();
  }
  const alarm = alarmColor(theme, node);
  if (!alarm) return;
  pen.beginPath();
  pen.roundRect(6, -33, 26, 26, 7);
  pen.strokeStyle = theme.canvas;
  pen.lineWidth = 6;
  pen.stroke();
  pen.fillStyle = alarm;
  pen.fill();
}

function alarmColor(theme: Theme, node: SceneNode): string | null {
  if (node.state === "down" || node.problem === "error") return theme.bad;
  if (node.drift) return theme.drift;
  return node.state === "warning" || node.problem === "warning" ? theme.warn : null;
}

function at(pen: Pen, x: number, y: number, draw: () => void): void {
  pen.save();
  pen.translate(x, y);
  draw();
  pen.restore();
}
