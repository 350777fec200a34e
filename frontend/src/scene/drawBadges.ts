/** The programs that a node runs: letters along the lower edge of its box. */
import type { SceneBadge } from "./contract";
import type { Pen } from "./pen";
import { FONT, type Theme } from "./theme";

const SIZE = 13; // px
const STEP = 15.5;
const LEFT = -21;
const EDGE = 24; // px below the node's centre
const SHOWN = 3; // further ones are counted

/** What tells two rows of badges apart. */
export function badgesKey(badges: readonly SceneBadge[]): string {
  return badges.map(({ letter, state }) => letter + state).join(" ");
}

/** Draws around the origin, a node's centre. */
export function drawBadges(pen: Pen, theme: Theme, badges: readonly SceneBadge[]): void {
  const crowded = badges.length > SHOWN;
  const shown = badges.slice(0, crowded ? SHOWN - 1 : SHOWN);
  shown.forEach((badge, at) => {
    drawBadge(pen, theme, badge, LEFT + at * STEP);
  });
  if (!crowded) return;
  const rest: SceneBadge = { letter: `+${badges.length - shown.length}`, state: "drawn" };
  drawBadge(pen, theme, rest, LEFT + shown.length * STEP);
}

/** Running: filled; starting: dashed; failed: an octagon; drawn only: an outline. */
function drawBadge(pen: Pen, theme: Theme, { letter, state }: SceneBadge, x: number): void {
  const solid = state === "running" || state === "failed";
  const color = state === "failed" ? theme.bad : state === "running" ? theme.ok : theme.text2;
  const outline = state === "failed" ? octagon : square;
  pen.save();
  pen.translate(x, EDGE);
  outline(pen, SIZE + 3);
  pen.fillStyle = theme.canvas;
  pen.fill();
  outline(pen, SIZE);
  pen.fillStyle = solid ? color : theme.panel;
  pen.fill();
  pen.strokeStyle = color;
  pen.lineWidth = 1.2;
  pen.setLineDash(state === "starting" ? [2.5, 2] : []);
  pen.stroke();
  pen.setLineDash([]);
  pen.font = FONT.service;
  pen.textAlign = "center";
  pen.fillStyle = solid ? theme.canvas : theme.text2;
  pen.fillText(letter, 0, 3.4);
  pen.restore();
}

function square(pen: Pen, size: number): void {
  pen.beginPath();
  pen.roundRect(-size / 2, -size / 2, size, size, 3.5);
}

function octagon(pen: Pen, size: number): void {
  const [far, near] = [size / 2 + 0.8, size / 4];
  pen.beginPath();
  pen.moveTo(-near, -far);
  for (const [x, y] of [
    [near, -far],
    [far, -near],
    [far, near],
    [near, far],
    [-near, far],
    [-far, near],
    [-far, -near],
  ] as const) {
    pen.lineTo(x, y);
  }
  pen.closePath();
}
