/** Group frames and sticky notes. */
import type { SceneGroup, SceneNote } from "./contract";
import { overlaps } from "./geometry";
import { corners } from "./hitTest";
import type { BoxItem } from "./model";
import type { Pen } from "./pen";
import { DETAIL, type Scenery } from "./scenery";
import { ellipsis, wrap } from "./text";
import { FONT, groupColor, type Theme } from "./theme";

const NOTE_LINE = 18; // px
const NOTE_PAD = 12;
const FOLD = 12; // the turned corner

export function drawGroups(scenery: Scenery): void {
  for (const box of scenery.model.groups.values()) {
    if (overlaps(box, scenery.view)) drawGroup(scenery, box);
  }
}

export function drawNotes(scenery: Scenery): void {
  for (const box of scenery.model.notes.values()) {
    if (overlaps(box, scenery.view)) drawNote(scenery, box);
  }
}

function drawGroup(scenery: Scenery, box: BoxItem): void {
  const group = box.data as SceneGroup;
  const { surface, theme, zoom } = scenery;
  const { pen } = surface;
  const color = groupColor(theme, group.color);
  pen.beginPath();
  pen.roundRect(box.x, box.y, box.width, box.height, 18);
  pen.globalAlpha = 0.62;
  pen.fillStyle = color.fill;
  pen.fill();
  pen.globalAlpha = 0.5;
  pen.strokeStyle = color.edge;
  pen.lineWidth = Math.max(1, 0.8 / zoom);
  pen.setLineDash([6, 5]);
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
  if (zoom >= DETAIL.names) {
    pen.font = FONT.group;
    pen.textAlign = "left";
    pen.fillStyle = color.edge;
    pen.fillText(ellipsis(FONT.group, group.name, box.width - 32), box.x + 16, box.y + 24);
  }
  if (scenery.selection.has(box.id)) drawSelectedBox(pen, theme, box, zoom);
}

function drawNote(scenery: Scenery, box: BoxItem): void {
  const { surface, theme, zoom } = scenery;
  const { pen } = surface;
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  pen.beginPath();
  pen.moveTo(box.x, box.y);
  pen.lineTo(right, box.y);
  pen.lineTo(right, bottom - FOLD);
  pen.lineTo(right - FOLD, bottom);
  pen.lineTo(box.x, bottom);
  pen.closePath();
  pen.fillStyle = theme.note.fill;
  pen.fill();
  pen.strokeStyle = theme.note.edge;
  pen.lineWidth = 1;
  pen.stroke();
  if (zoom >= DETAIL.names) drawNoteText(pen, theme, box);
  if (scenery.selection.has(box.id)) drawSelectedBox(pen, theme, box, zoom);
}

/** The first line is the note's title when more lines follow. */
function drawNoteText(pen: Pen, theme: Theme, box: BoxItem): void {
  const { text } = box.data as SceneNote;
  const room = box.width - 2 * NOTE_PAD;
  const most = Math.max(1, Math.floor((box.height - 10) / NOTE_LINE));
  const lines = wrap(FONT.noteTitle, text, room);
  const title = text.includes("\n");
  pen.fillStyle = theme.note.text;
  pen.textAlign = "left";
  lines.slice(0, most).forEach((line, index) => {
    pen.font = title && index === 0 ? FONT.noteTitle : FONT.note;
    const cut = index === most - 1 && lines.length > most;
    const shown = cut ? `${ellipsis(FONT.note, line, room - 12)}…` : line;
    pen.fillText(shown, box.x + NOTE_PAD, box.y + 22 + index * NOTE_LINE);
  });
}

function drawSelectedBox(pen: Pen, theme: Theme, box: BoxItem, zoom: number): void {
  const px = 1 / zoom;
  pen.strokeStyle = theme.accent;
  pen.lineWidth = 2 * px;
  pen.beginPath();
  pen.rect(box.x, box.y, box.width, box.height);
  pen.stroke();
  pen.fillStyle = theme.panel;
  for (const { x, y } of corners(box)) {
    pen.beginPath();
    pen.rect(x - 4 * px, y - 4 * px, 8 * px, 8 * px);
    pen.fill();
    pen.stroke();
  }
}
