/** Cables, and the text on them. */
import {
  type Curve,
  curveBounds,
  curveDirection,
  curveLength,
  curvePoint,
  inflate,
  overlaps,
  type Point,
} from "./geometry";
import { PILL_HEIGHT, type PortLabel } from "./labels";
import { cableWidth, type LinkItem } from "./model";
import { haloText, type Pen } from "./pen";
import { DETAIL, type Scenery, word } from "./scenery";
import { textWidth } from "./text";
import { FONT, type Theme } from "./theme";

type CableState = LinkItem["data"]["state"];

const THIN = 0.95; // screen px

interface Stroke {
  color: keyof Pick<Theme, "cable" | "bad" | "off" | "warn" | "pending">;
  dash: number[];
  alpha: number;
}

const STROKES: Record<CableState, Stroke> = {
  draft: { color: "cable", dash: [], alpha: 1 },
  up: { color: "cable", dash: [], alpha: 1 },
  planned: { color: "pending", dash: [3, 5], alpha: 1 },
  down: { color: "bad", dash: [7, 6], alpha: 1 },
  off: { color: "off", dash: [2, 5], alpha: 1 },
  blocked: { color: "warn", dash: [], alpha: 1 },
  stale: { color: "cable", dash: [], alpha: 0.5 },
  child: { color: "cable", dash: [6, 5], alpha: 0.8 },
};

const SIGN: Partial<Record<CableState, string>> = {
  planned: "+",
  down: "✕",
  off: "○",
  blocked: "⊘",
  stale: "?",
};

const ALARM = "▲";

/** The cables in sight. */
export function visibleCables(scenery: Scenery): LinkItem[] {
  const area = inflate(scenery.view, 40);
  return [...scenery.model.links.values()].filter(({ curve }) => {
    if (curve.straight) return crosses(curve, area);
    return overlaps(inflate(curveBounds(curve), 1), area);
  });
}

/** Draws all cables, one path for each way of looking. */
export function drawCables(scenery: Scenery, links: readonly LinkItem[]): void {
  const { pen } = scenery.surface;
  drawSelectedCables(scenery, links);
  const batches = new Map<string, LinkItem[]>();
  for (const link of links) {
    const key = `${link.data.state} ${widthOf(link, scenery.zoom)}`;
    const batch = batches.get(key);
    if (batch) batch.push(link);
    else batches.set(key, [link]);
  }
  for (const batch of batches.values()) {
    const first = batch[0];
    if (first) strokeBatch(pen, scenery, batch, first);
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  pen.lineCap = "butt";
}

/** Port pills, rates and state badges; only where there is room to read them. */
export function drawCableText(scenery: Scenery, links: readonly LinkItem[]): void {
  if (scenery.zoom < DETAIL.full) {
    for (const link of links) drawSignOnly(scenery, link);
    return;
  }
  for (const link of links) {
    const labels = scenery.planner.of(link);
    if (labels.a) drawPill(scenery, labels.a);
    if (labels.b) drawPill(scenery, labels.b);
    if (badgeOf(scenery, link)) drawBadge(scenery, link);
    else if (link.data.rateLabel) drawRate(scenery, link);
  }
}

/** Adds a curve to the pen's path. */
export function traceCurve(pen: Pen, curve: Curve): void {
  pen.moveTo(curve.ax, curve.ay);
  if (curve.straight) pen.lineTo(curve.bx, curve.by);
  else pen.quadraticCurveTo(curve.cx, curve.cy, curve.bx, curve.by);
}

function strokeBatch(
  pen: Pen,
  scenery: Scenery,
  batch: readonly LinkItem[],
  first: LinkItem,
): void {
  const stroke = STROKES[first.data.state];
  const simple = scenery.zoom < DETAIL.names;
  pen.strokeStyle = scenery.theme[stroke.color];
  pen.globalAlpha = stroke.alpha;
  pen.lineWidth = widthOf(first, scenery.zoom);
  pen.setLineDash(simple ? [] : stroke.dash);
  // Round caps are dear, and under the nodes' boxes nobody sees them; only dashes show theirs.
  pen.lineCap = stroke.dash.length && !simple ? "round" : "butt";
  pen.beginPath();
  for (const link of batch) traceCurve(pen, link.curve);
  pen.stroke();
}

/** World px; from afar all are as thin as a screen can show, which is also the cheapest to draw. */
function widthOf(link: LinkItem, zoom: number): number {
  if (zoom < DETAIL.names) return THIN / zoom;
  const width = link.data.state === "up" ? cableWidth(link.data.rate) : 2;
  return Math.max(width, THIN / zoom);
}

function drawSelectedCables(scenery: Scenery, links: readonly LinkItem[]): void {
  const { pen } = scenery.surface;
  pen.strokeStyle = scenery.theme.accent;
  for (const link of links) {
    if (!scenery.selection.has(link.id)) continue;
    pen.globalAlpha = 0.35;
    pen.lineWidth = widthOf(link, scenery.zoom) + 8 / Math.max(0.5, scenery.zoom);
    pen.beginPath();
    traceCurve(pen, link.curve);
    pen.stroke();
    pen.globalAlpha = 1;
  }
}

function drawPill(scenery: Scenery, pill: PortLabel): void {
  const { theme, surface } = scenery;
  const [half, high] = [pill.width / 2, PILL_HEIGHT / 2];
  const box = { left: -half - 1, top: -high - 1, right: half + 1, bottom: high + 1 };
  surface.stamp(
    {
      late: true,
      key: `pill ${theme.name} ${pill.text}`,
      box,
      draw: (pen) => {
        pen.beginPath();
        pen.roundRect(-half, -high, pill.width, PILL_HEIGHT, high);
        pen.fillStyle = theme.panel;
        pen.fill();
        pen.strokeStyle = theme.line2;
        pen.lineWidth = 1;
        pen.stroke();
        pen.font = FONT.port;
        pen.textAlign = "center";
        pen.fillStyle = theme.text2;
        pen.fillText(pill.text, 0, 3.4);
      },
    },
    pill.x,
    pill.y,
  );
}

function drawRate(scenery: Scenery, link: LinkItem): void {
  const { theme, surface, planner } = scenery;
  const { rate } = planner.of(link);
  const text = link.data.rateLabel;
  const width = textWidth(FONT.rate, text);
  const left = rate.align === "center" ? -width / 2 : 0;
  const box = { left: -3, top: -13, right: width + 3, bottom: 6 };
  surface.stamp(
    {
      late: true,
      key: `rate ${theme.name} ${text}`,
      box,
      draw: (pen) => {
        pen.font = FONT.rate;
        pen.textAlign = "left";
        pen.fillStyle = theme.text2;
        haloText(pen, text, 0, 0, theme.canvas);
      },
    },
    rate.x + left,
    rate.y,
  );
}

interface Badge {
  sign: string;
  text: string;
  color: string;
}

/** What is to be said on a cable: an alarm before its state; null when all is well. */
function badgeOf(scenery: Scenery, { data }: LinkItem): Badge | null {
  const { theme } = scenery;
  const { state, alarm } = data;
  if (alarm !== null) {
    return { sign: ALARM, text: `${ALARM} ${word(scenery, alarm)}`, color: theme.bad };
  }
  const sign = SIGN[state];
  if (!sign) return null;
  const quiet = state === "stale" || state === "off";
  const color = quiet ? theme.text2 : theme[STROKES[state].color];
  return { sign, text: `${sign} ${word(scenery, state)}`, color };
}

/** Beside the pill of the blocked end for STP, in the middle otherwise. */
function badgePoint(scenery: Scenery, link: LinkItem, half: number): Point {
  const { blockedEnd, state, alarm } = link.data;
  const labels = scenery.planner.of(link);
  const pill = blockedEnd === null ? null : labels[blockedEnd];
  if (state !== "blocked" || alarm !== null || !pill) return labels.middle;
  const { x, y } = curveDirection(link.curve, pill.t);
  const clear = Math.min(
    (half + pill.width / 2 + 3) / Math.max(0.01, Math.abs(x)),
    (10 + PILL_HEIGHT / 2 + 3) / Math.max(0.01, Math.abs(y)),
  );
  const step = clear / Math.max(1, curveLength(link.curve));
  const t = blockedEnd === "a" ? Math.min(0.5, pill.t + step) : Math.max(0.5, pill.t - step);
  return curvePoint(link.curve, t);
}

function drawBadge(scenery: Scenery, link: LinkItem): void {
  const { theme, surface } = scenery;
  const badge = badgeOf(scenery, link);
  if (!badge) return;
  const { text, color } = badge;
  const half = textWidth(FONT.badge, text) / 2 + 9;
  const point = badgePoint(scenery, link, half);
  const box = { left: -half - 1, top: -11, right: half + 1, bottom: 11 };
  surface.stamp(
    {
      key: `badge ${theme.name} ${color} ${text}`,
      box,
      draw: (pen) => {
        pen.beginPath();
        pen.roundRect(-half, -10, 2 * half, 20, 10);
        pen.fillStyle = theme.panel;
        pen.fill();
        pen.strokeStyle = color;
        pen.lineWidth = 1.2;
        pen.stroke();
        pen.font = FONT.badge;
        pen.textAlign = "center";
        pen.fillStyle = color;
        pen.fillText(text, 0, 3.8);
      },
    },
    point.x,
    point.y,
  );
}

/** From afar, only the sign, at a size that can still be told. */
function drawSignOnly(scenery: Scenery, link: LinkItem): void {
  const { theme, surface, zoom } = scenery;
  const badge = badgeOf(scenery, link);
  if (!badge || zoom < 0.12) return;
  const { sign, color } = badge;
  const point = curvePoint(link.curve, 0.5);
  const draw = (pen: Pen): void => {
    pen.font = FONT.mark;
    pen.textAlign = "center";
    pen.fillStyle = color;
    haloText(pen, sign, 0, 4.5, theme.canvas);
  };
  const box = { left: -10, top: -10, right: 10, bottom: 10 };
  const key = `sign ${theme.name} ${color} ${sign}`;
  surface.stamp({ key, box, draw, size: 1 / zoom }, point.x, point.y);
}

/** Whether a straight cable's box touches the area; cheap, and never wrongly no. */
function crosses(
  curve: Curve,
  area: { x: number; y: number; width: number; height: number },
): boolean {
  const [right, bottom] = [area.x + area.width, area.y + area.height];
  return !(
    (curve.ax < area.x && curve.bx < area.x) ||
    (curve.ay < area.y && curve.by < area.y) ||
    (curve.ax > right && curve.bx > right) ||
    (curve.ay > bottom && curve.by > bottom)
  );
}
