/** The outline's keyboard: the whole drawing can be read and edited from here. */

import { action } from "../../actions/registry";
import { perform } from "../../actions/shortcuts";
import type { Editor } from "../../app/editor";
import type { InspectorTab } from "../../app/uiStore";
import { removeAll, shiftAll } from "../../doc/edits";
import { indexOf, peerOf } from "../../doc/graph";
import { neighboursOf, type Row } from "./rows";

export interface OutlineHands {
  rows: readonly Row[];
  active: number;
  /** Make the row of `id` the active one, opening what hides it. */
  go(id: string): void;
  goTo(index: number): void;
  setExpanded(row: Row, expanded: boolean): void;
  /** Where the walk along cables came from. */
  trail: string[];
}

interface Key {
  key: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Handle a key; false when it is not the outline's. */
export function handleKey(event: Key, editor: Editor, hands: OutlineHands): boolean {
  const row = hands.rows[hands.active];
  const arrow = ARROWS[event.key];
  if (event.ctrlKey || event.metaKey) {
    return event.key === " " && row ? pick(row, editor, true) : false;
  }
  if (arrow && event.altKey) return row ? walk(row, event.key, editor, hands) : false;
  if (arrow && (event.shiftKey || editor.ui.getState().moveMode)) {
    return row ? move(row, editor, arrow) : false;
  }
  if (event.altKey) return false;
  return travel(event.key, row, hands) || (row !== undefined && act(event.key, row, editor, hands));
}

function travel(key: string, row: Row | undefined, hands: OutlineHands): boolean {
  const last = hands.rows.length - 1;
  switch (key) {
    case "ArrowDown":
      hands.goTo(Math.min(last, hands.active + 1));
      return true;
    case "ArrowUp":
      hands.goTo(Math.max(0, hands.active - 1));
      return true;
    case "Home":
      hands.goTo(0);
      return true;
    case "End":
      hands.goTo(last);
      return true;
    case "ArrowRight":
      if (row?.expanded === false) hands.setExpanded(row, true);
      else if (row?.expanded) hands.goTo(hands.active + 1);
      return true;
    case "ArrowLeft":
      if (row?.expanded) hands.setExpanded(row, false);
      else if (row?.parent) hands.go(row.parent);
      return true;
    default:
      return false;
  }
}

/** What a row stands for on the canvas: a port or a service stands for its node. */
export function canvasId(row: Row, editor: Editor): string {
  const { interfaces, services } = editor.topology;
  if (row.kind === "service") return services[row.id]?.node ?? row.id;
  return row.kind === "port" ? (interfaces[row.id]?.node ?? row.id) : row.id;
}

export function pick(row: Row, editor: Editor, add: boolean): boolean {
  editor.select([canvasId(row, editor)], add ? "toggle" : "replace");
  if (row.kind === "port") {
    editor.ui.setState({ focusedPort: row.id, inspectorTab: "interfaces" });
  }
  if (row.kind === "service") {
    editor.ui.setState({ focusedService: row.id, inspectorTab: "services" });
  }
  return true;
}

const TAB_OF: Partial<Record<Row["kind"], InspectorTab>> = {
  port: "interfaces",
  service: "services",
};

/** Select it and go on in the inspector. */
export function openRow(row: Row, editor: Editor): void {
  pick(row, editor, false);
  const inspectorTab = TAB_OF[row.kind] ?? "properties";
  editor.ui.setState({ inspectorOpen: true, moveMode: false, inspectorTab });
  editor.focusInspector();
}

function act(key: string, row: Row, editor: Editor, hands: OutlineHands): boolean {
  switch (key) {
    case " ":
      return pick(row, editor, false);
    case "Enter":
      openRow(row, editor);
      return true;
    case "Escape":
      editor.ui.setState({ moveMode: false });
      editor.select([]);
      return true;
    case "Delete":
    case "Backspace":
      return removeRow(row, editor, hands);
    case "F2":
      if (row.kind !== "service") editor.ui.setState({ renaming: row.id });
      return true;
    case "c":
      return connectFrom(row, editor);
    case "m":
      if (!editor.selection.has(canvasId(row, editor))) pick(row, editor, false);
      perform(editor, action("moveMode"));
      return true;
    case "p":
      pick(row, editor, false);
      perform(editor, action("probeForm"));
      return true;
    case "t":
    case "T":
      pick(row, editor, false);
      perform(editor, action(key === "t" ? "terminal.open" : "terminal.add"));
      return true;
    default:
      return false;
  }
}

function removeRow(row: Row, editor: Editor, hands: OutlineHands): boolean {
  const neighbour = hands.rows[hands.active + 1] ?? hands.rows[hands.active - 1];
  const chosen = editor.selection.has(row.id) && editor.selection.size > 1;
  editor.submit(removeAll(editor.topology, chosen ? editor.selection : [row.id]));
  editor.announce("say.removed", { count: chosen ? editor.selection.size : 1 });
  if (neighbour) hands.go(neighbour.id);
  return true;
}

function connectFrom(row: Row, editor: Editor): boolean {
  if (row.kind !== "node" && row.kind !== "port") return false;
  const free = row.kind === "node" || !indexOf(editor.topology).linksAt.has(row.id);
  const from = free ? row.id : canvasId(row, editor);
  editor.ui.setState({ connectFrom: from });
  return true;
}

function move(row: Row, editor: Editor, [dx, dy]: [number, number]): boolean {
  const id = canvasId(row, editor);
  const ids = editor.selection.has(id) ? editor.selection : [id];
  editor.submit(shiftAll(editor.topology, ids, dx * 10, dy * 10));
  return true;
}

/** Alt+→ along the cable, Alt+← back, Alt+↑↓ to the other neighbours of where one came from. */
function walk(row: Row, key: string, editor: Editor, hands: OutlineHands): boolean {
  const { topology } = editor;
  const here = canvasId(row, editor);
  if (!(here in topology.nodes)) return true;
  const from = hands.trail.at(-1);
  if (key === "ArrowLeft") {
    const back = hands.trail.pop();
    if (back !== undefined) hands.go(back);
  } else if (key === "ArrowRight") {
    const peer = row.kind === "port" ? peerOf(topology, row.id)?.port : undefined;
    const ahead = neighboursOf(topology, here).filter((node) => node !== from);
    const next = peer ?? ahead[0] ?? neighboursOf(topology, here)[0];
    if (next === undefined) {
      editor.announce("say.noCable");
      return true;
    }
    hands.trail.push(row.id);
    hands.go(next);
  } else {
    const around = from === undefined ? [] : neighboursOf(topology, nodeOf(topology, from));
    const at = around.indexOf(here);
    const step = key === "ArrowDown" ? 1 : -1;
    const next = around[(at + step + around.length) % around.length];
    if (next !== undefined) hands.go(next);
  }
  return true;
}

function nodeOf(topology: Editor["topology"], id: string): string {
  return topology.interfaces[id]?.node ?? id;
}
