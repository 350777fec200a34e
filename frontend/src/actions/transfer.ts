/** Export and import. */

import type { Editor } from "../app/editor";
import { showToast } from "../app/messages";
import { isFields, normalizeDocument, toWire } from "../doc/defaults";
import type { Action } from "./action";

/** The lab's name as a file's. */
export function fileName(editor: Editor, extension: string): string {
  const name = editor.topology.name.trim().replace(/[^\p{L}\p{N}._-]+/gu, "-") || "topology";
  return `${name}.${extension}`;
}

/** Give the browser a file to keep. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Ask for a file; null when none was chosen. */
function chooseFile(accept: string): Promise<File | null> {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = accept;
    input.onchange = () => resolve(input.files?.[0] ?? null);
    input.oncancel = () => resolve(null);
    input.click();
  });
}

/** Replace the drawing by what a file holds: one operation, so it can be undone. */
export function importText(editor: Editor, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (!isFields(value) || value.format !== "topoweb" || value.version !== 1) {
    showToast("bad", editor.t("say.notADrawing"));
    return;
  }
  editor.select([]);
  editor.submit({ kind: "replace", document: normalizeDocument(value) });
  editor.scene?.fit();
}

const noScene = (editor: Editor) => (editor.scene ? null : "reasons.canvas");

export const transferActions: Action[] = [
  {
    id: "exportJson",
    group: "file",
    icon: "download",
    perform: (editor) => {
      const text = `${JSON.stringify(toWire(editor.topology), null, 2)}\n`;
      save(new Blob([text], { type: "application/json" }), fileName(editor, "json"));
    },
  },
  {
    id: "exportSvg",
    group: "file",
    icon: "download",
    disabled: noScene,
    perform: (editor) => {
      const text = editor.scene?.exportSvg() ?? "";
      save(new Blob([text], { type: "image/svg+xml" }), fileName(editor, "svg"));
    },
  },
  {
    id: "exportPng",
    group: "file",
    icon: "download",
    disabled: noScene,
    perform: async (editor) => {
      const blob = await editor.scene?.exportPng(2);
      if (blob) save(blob, fileName(editor, "png"));
    },
  },
  {
    id: "exportPcap",
    group: "file",
    icon: "download",
    disabled: (editor) =>
      editor.session.facts.getState().lab.running ? null : "reasons.notRunning",
    perform: async (editor) => {
      const blob = await editor.session.attempt(() => editor.session.api.pcap());
      if (blob) save(blob, fileName(editor, "pcapng"));
    },
  },
  {
    id: "saveRecording",
    group: "file",
    icon: "download",
    disabled: (editor) =>
      editor.session.facts.getState().lab.running ? null : "reasons.notRunning",
    perform: ({ ui }) => ui.setState({ dialog: "recording" }),
  },
  {
    id: "importJson",
    group: "file",
    icon: "upload",
    perform: async (editor) => {
      const file = await chooseFile("application/json,.json");
      if (file) importText(editor, await file.text());
    },
  },
];
