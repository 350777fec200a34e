/** Draws the hops' cards: number, interface, time, and what changed. Screen px. */

import type { MotionView } from "../scene/drawMotion";
import type { Point, Rect } from "../scene/geometry";
import { disc, line } from "../scene/pen";
import { ellipsis, textWidth } from "../scene/text";
import { FONT } from "../scene/theme";
import { CARD, type CardLine, type PlacedCard } from "./hopCards";

const LABEL = 40; // px for a line's name
const PAD = 10;

/** A card, and the line that ties it to its station. `name` puts a line's label into words. */
export function paintCard(
  view: MotionView,
  { card, box, from }: PlacedCard,
  current: boolean,
  name: (label: string) => string,
): void {
  const {
    surface: { pen },
    theme,
  } = view;
  const edge = current ? theme.accent : theme.line2;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  pen.strokeStyle = edge;
  pen.lineWidth = 1.3;
  const above = box.y + box.height < from.y;
  const below = box.y > from.y;
  const side = middle.x < from.x ? box.x + box.width : box.x;
  const inside = Math.max(box.x + 8, Math.min(box.x + box.width - 8, from.x));
  if (above) line(pen, from.x, from.y - 9, inside, box.y + box.height);
  else if (below) line(pen, from.x, from.y + 9, inside, box.y);
  else line(pen, from.x, from.y, side, middle.y);
  pen.beginPath();
  pen.roundRect(box.x, box.y + 2, box.width, box.height, 9);
  pen.fillStyle = theme.shadow;
  pen.fill();
  pen.beginPath();
  pen.roundRect(box.x, box.y, box.width, box.height, 9);
  pen.fillStyle = theme.panel;
  pen.fill();
  pen.lineWidth = current ? 1.8 : 1;
  pen.stroke();
  paintHead(view, { card, box, from });
  card.lines.forEach((one, index) => {
    paintLine(view, one, name(one.label), box.x, box.y + CARD.head + index * CARD.line);
  });
}

function paintHead(view: MotionView, { card, box }: PlacedCard): void {
  const {
    surface: { pen },
    theme,
  } = view;
  const y = box.y + 15;
  disc(pen, box.x + 17, y, 8.5);
  pen.fillStyle = theme.protocol.icmp;
  pen.fill();
  pen.font = FONT.badge;
  pen.textAlign = "center";
  pen.fillStyle = theme.panel;
  pen.fillText(String(card.number), box.x + 17, y + 4);
  const span = textWidth(FONT.address, card.span);
  pen.font = FONT.callout;
  pen.textAlign = "left";
  pen.fillStyle = theme.text;
  const room = CARD.width - 32 - PAD - span - 6;
  pen.fillText(ellipsis(FONT.callout, card.interface, room), box.x + 32, y + 4);
  pen.font = FONT.address;
  pen.textAlign = "right";
  pen.fillStyle = theme.text2;
  pen.fillText(card.span, box.x + box.width - PAD, y + 4);
  pen.strokeStyle = theme.line;
  pen.lineWidth = 1;
  line(pen, box.x, box.y + CARD.head - 2, box.x + box.width, box.y + CARD.head - 2);
}

function paintLine(view: MotionView, told: CardLine, label: string, x: number, y: number): void {
  const {
    surface: { pen },
    theme,
  } = view;
  const base = y + 13;
  pen.font = FONT.rate;
  pen.textAlign = "left";
  pen.fillStyle = theme.text2;
  pen.fillText(ellipsis(FONT.rate, label, LABEL - 2), x + PAD, base);
  const text = ellipsis(
    FONT.address,
    told.changed ? `Δ ${told.text}` : told.text,
    CARD.width - LABEL - 2 * PAD - 4,
  );
  pen.font = FONT.address;
  if (told.changed) {
    pen.globalAlpha = 0.13;
    pen.fillStyle = theme.protocol.icmp;
    pen.beginPath();
    pen.roundRect(x + PAD + LABEL - 4, y, textWidth(FONT.address, text) + 8, 17, 4);
    pen.fill();
    pen.globalAlpha = 1;
  }
  pen.fillStyle = told.changed ? theme.protocol.icmp : theme.text;
  pen.fillText(text, x + PAD + LABEL, base);
}

/** Size of a lookup's card, px. */
export const LOOKUP = { width: 236, head: 27, line: 20, foot: 6 } as const;

export interface LookupText {
  title: string;
  rows: readonly { text: string; note: string; tone: "used" | "missing" | "other" }[];
}

/** What a node looked up, and what it found; the line leads to the node. */
export function paintLookup(view: MotionView, box: Rect, node: Point, told: LookupText): void {
  const {
    surface: { pen },
    theme,
  } = view;
  pen.strokeStyle = theme.line2;
  pen.lineWidth = 1.2;
  const inside = Math.max(box.x + 10, Math.min(box.x + box.width - 10, node.x));
  if (box.y > node.y) line(pen, inside, box.y, node.x, node.y);
  pen.beginPath();
  pen.roundRect(box.x, box.y, box.width, box.height, 9);
  pen.fillStyle = theme.panel;
  pen.fill();
  pen.stroke();
  pen.font = FONT.callout;
  pen.textAlign = "left";
  pen.fillStyle = theme.text;
  pen.fillText(ellipsis(FONT.callout, told.title, box.width - 2 * PAD), box.x + PAD, box.y + 18);
  told.rows.forEach(({ text, note, tone }, index) => {
    const top = box.y + LOOKUP.head + index * LOOKUP.line;
    const colors = { used: theme.ok, missing: theme.bad, other: theme.text2 };
    if (tone !== "other") {
      pen.globalAlpha = 0.1;
      pen.fillStyle = colors[tone];
      pen.fillRect(box.x + 5, top, box.width - 10, LOOKUP.line - 2);
      pen.globalAlpha = 1;
    }
    const room = box.width - 2 * PAD - textWidth(FONT.badge, note) - 6;
    pen.font = FONT.address;
    pen.fillStyle = tone === "missing" ? theme.bad : theme.text;
    pen.fillText(ellipsis(FONT.address, text, room), box.x + PAD, top + 13);
    pen.font = FONT.badge;
    pen.textAlign = "right";
    pen.fillStyle = colors[tone];
    pen.fillText(note, box.x + box.width - PAD, top + 13);
    pen.textAlign = "left";
  });
}
