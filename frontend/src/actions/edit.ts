/** Undo, clipboard, selection, delete. */

import type { Editor } from "../app/editor";
import { showToast } from "../app/messages";
import { copy, paste, readClip } from "../doc/clipboard";
import { removeAll, shiftAll } from "../doc/edits";
import { batch, type SimpleOperation, set } from "../doc/ops";
import type { Action } from "./action";
import { readClipboard, writeClipboard } from "./clipboard";

const STEP = 10; // px: the grid that dragging snaps to
const PASTE_SHIFT = 40;

const nothing = (editor: Editor) => (editor.selection.size === 0 ? "reasons.selection" : null);

function moveBy(id: string, key: string, dx: number, dy: number): Action {
  return {
    id,
    group: "edit",
    keys: [`shift+arrow${key}`],
    scope: "canvas",
    disabled: nothing,
    perform: (editor) => editor.submit(shiftAll(editor.topology, editor.selection, dx, dy)),
  };
}

async function copySelection(editor: Editor): Promise<boolean> {
  const clip = copy(editor.topology, editor.selection);
  if (!clip) return false;
  await writeClipboard(JSON.stringify(clip));
  return true;
}

function removeSelection(editor: Editor): void {
  const count = editor.selection.size;
  editor.submit(removeAll(editor.topology, editor.selection));
  editor.select([]);
  editor.announce("say.removed", { count });
}

function place(editor: Editor, text: string): void {
  const clip = readClip(text);
  const pasted = clip && paste(editor.topology, clip, { x: PASTE_SHIFT, y: PASTE_SHIFT });
  if (!pasted) {
    showToast("info", editor.t("say.nothingToPaste"));
    return;
  }
  editor.submit(pasted.operation);
  editor.select(pasted.ids);
  editor.announce("say.pasted", { count: pasted.ids.length });
}

/** Cables among the selection go the same way: on if any is off, else off. */
function toggleCables(editor: Editor): void {
  const { links } = editor.topology;
  const ids = [...editor.selection].filter((id) => links[id]);
  const up = ids.some((id) => !links[id]?.up);
  const operations: SimpleOperation[] = ids.map((id) => set("links", id, { up }));
  editor.submit(batch(operations));
  editor.announce(up ? "say.cablesOn" : "say.cablesOff", { count: ids.length });
}

export const editActions: Action[] = [
  {
    id: "undo",
    group: "edit",
    icon: "undo",
    keys: ["mod+z"],
    disabled: (editor) => (editor.session.undo.state.canUndo ? null : "reasons.undo"),
    perform: (editor) => {
      editor.session.undo.undo();
      editor.announce("say.undone");
    },
  },
  {
    id: "redo",
    group: "edit",
    icon: "redo",
    keys: ["mod+shift+z", "mod+y"],
    disabled: (editor) => (editor.session.undo.state.canRedo ? null : "reasons.redo"),
    perform: (editor) => {
      editor.session.undo.redo();
      editor.announce("say.redone");
    },
  },
  {
    id: "cut",
    group: "edit",
    icon: "cut",
    keys: ["mod+x"],
    scope: "canvas",
    disabled: nothing,
    perform: async (editor) => {
      if (await copySelection(editor)) removeSelection(editor);
    },
  },
  {
    id: "copy",
    group: "edit",
    icon: "copy",
    keys: ["mod+c"],
    scope: "canvas",
    disabled: nothing,
    perform: async (editor) => {
      if (await copySelection(editor)) editor.announce("say.copied");
    },
  },
  {
    id: "paste",
    group: "edit",
    icon: "paste",
    keys: ["mod+v"],
    scope: "canvas",
    perform: async (editor) => place(editor, await readClipboard()),
  },
  {
    id: "duplicate",
    group: "edit",
    icon: "copy",
    keys: ["mod+d"],
    disabled: nothing,
    perform: (editor) => {
      const clip = copy(editor.topology, editor.selection);
      if (clip) place(editor, JSON.stringify(clip));
    },
  },
  {
    id: "remove",
    group: "edit",
    icon: "trash",
    keys: ["delete", "backspace"],
    scope: "canvas",
    disabled: nothing,
    perform: removeSelection,
  },
  {
    id: "selectAll",
    group: "edit",
    icon: "select",
    keys: ["mod+a"],
    scope: "canvas",
    perform: (editor) => {
      const { nodes, links, notes, groups } = editor.topology;
      editor.select([nodes, links, notes, groups].flatMap((items) => Object.keys(items)));
    },
  },
  {
    id: "toggleCable",
    group: "edit",
    icon: "power",
    keys: ["o"],
    scope: "canvas",
    disabled: (editor) =>
      [...editor.selection].some((id) => editor.topology.links[id]) ? null : "reasons.cable",
    perform: toggleCables,
  },
  {
    id: "rename",
    group: "edit",
    icon: "rename",
    keys: ["f2"],
    scope: "canvas",
    disabled: (editor) => (editor.selection.size === 1 ? null : "reasons.one"),
    perform: (editor) => {
      editor.ui.setState({ inspectorTab: "properties", inspectorOpen: true });
      editor.focusInspector();
    },
  },
  {
    id: "moveMode",
    group: "edit",
    icon: "move",
    keys: ["m"],
    scope: "canvas",
    disabled: nothing,
    perform: (editor) => {
      const moveMode = !editor.ui.getState().moveMode;
      editor.ui.setState({ moveMode });
      editor.announce(moveMode ? "say.moveOn" : "say.moveOff");
    },
  },
  moveBy("moveLeft", "left", -STEP, 0),
  moveBy("moveRight", "right", STEP, 0),
  moveBy("moveUp", "up", 0, -STEP),
  moveBy("moveDown", "down", 0, STEP),
];
