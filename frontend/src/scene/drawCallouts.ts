/** Bubbles at nodes: what a probe found, a verdict. */
import type { SceneCallout } from "./contract";
import type { NodeItem } from "./model";
import type { Pen } from "./pen";
import type { Scenery } from "./scenery";
import { textWidth, wrap } from "./text";
import { FONT, type Theme } from "./theme";

const ROOM = 240; // px for a line
const LINE = 16;
const SIGN = { ok: "✓", bad: "✕", info: "i" } as const;

/** Draws each node's callouts above it, the newest lowest. */
export function drawCallouts(scenery: Scenery): void {
  const heights = new Map<string, number>();
  for (const callout of [...scenery.callouts].reverse()) {
    const node = scenery.model.nodes.get(callout.node);
    if (!node) continue;
    const below = heights.get(node.id) ?? 0;
    heights.set(node.id, below + drawCallout(scenery, callout, node, below) + 6);
  }
}

function drawCallout(
  scenery: Scenery,
  callout: SceneCallout,
  node: NodeItem,
  below: number,
): number {
  const { surface, theme, zoom } = scenery;
  const { pen } = surface;
  const lines = wrap(FONT.callout, `${SIGN[callout.tone]} ${callout.text}`, ROOM);
  const width = Math.max(...lines.map((text) => textWidth(FONT.callout, text))) + 22;
  const height = lines.length * LINE + 10;
  pen.save();
  pen.translate(node.x, node.y - 38);
  const size = Math.max(1, 0.75 / zoom);
  pen.scale(size, size);
  bubble(pen, theme, callout.tone, width, height, below);
  pen.font = FONT.callout;
  pen.textAlign = "left";
  lines.forEach((text, index) => {
    pen.fillText(text, -width / 2 + 11, -below - 8 - height + 17 + index * LINE);
  });
  pen.restore();
  return height;
}

function bubble(
  pen: Pen,
  theme: Theme,
  tone: SceneCallout["tone"],
  width: number,
  height: number,
  below: number,
): void {
  const color = { ok: theme.ok, bad: theme.bad, info: theme.accent }[tone];
  const bottom = -below - 8;
  pen.beginPath();
  pen.roundRect(-width / 2, bottom - height, width, height, 8);
  pen.fillStyle = color;
  pen.fill();
  if (below === 0) {
    pen.beginPath();
    pen.moveTo(-6, bottom - 0.5);
    pen.lineTo(0, 0);
    pen.lineTo(6, bottom - 0.5);
    pen.closePath();
    pen.fill();
  }
  pen.fillStyle = theme.onBad;
}
