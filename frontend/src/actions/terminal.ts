/** Terminals: open, divide, leave, search, make larger. */

import type { Editor } from "../app/editor";
import { FONT_SIZES, prefer, preferences } from "../app/preferences";
import type { Heading } from "../terminal/layout";
import type { Hands } from "../terminal/terminals";
import type { IconName } from "../ui/Icon";
import type { Action } from "./action";

const MOST = 6; // terminals opened at one stroke

/** Why a node can have no terminal now, as an i18n key; null: it can. */
export function whyNoTerminal(editor: Editor, node: string): string | null {
  const { features, lab } = editor.session.facts.getState();
  if (editor.topology.nodes[node]?.kind === "uplink") return "reasons.uplinkTerminal";
  if (features.sandbox?.ok === false) return "reasons.sandbox";
  if (!lab.running) return "reasons.notRunning";
  return editor.session.live.node(node)?.present ? null : "reasons.notPresent";
}

function whyNotHere(editor: Editor): string | null {
  const { selectedNodes } = editor;
  if (selectedNodes.length === 0) return "reasons.node";
  if (selectedNodes.length > MOST) return "reasons.manyTerminals";
  const reasons = selectedNodes.map((node) => whyNoTerminal(editor, node));
  return reasons.find((reason) => reason !== null) ?? null;
}

const none = (editor: Editor) => (editor.terminals.focused ? null : "reasons.noTerminal");

/** The terminal in use. */
function inUse(editor: Editor): Hands | undefined {
  const { focused, pool } = editor.terminals;
  return focused ? pool?.hands(focused) : undefined;
}

function forNodes(id: string, key: string, act: (editor: Editor, node: string) => void): Action {
  return {
    id,
    group: "terminal",
    icon: "terminal",
    keys: [key],
    scope: "canvas",
    disabled: whyNotHere,
    perform: (editor) => {
      for (const node of editor.selectedNodes) act(editor, node);
    },
  };
}

function within(
  id: string,
  keys: string | null,
  icon: IconName | null,
  perform: (editor: Editor) => void,
): Action {
  return {
    id,
    group: "terminal",
    ...(icon ? { icon } : {}),
    ...(keys ? { keys: [keys] } : {}),
    scope: "terminal",
    disabled: none,
    perform,
  };
}

function towards(heading: Heading): Action {
  return within(`terminal.${heading}`, `mod+shift+arrow${heading}`, null, (editor) =>
    editor.terminals.go(heading),
  );
}

function sized(id: string, icon: IconName, by: number): Action {
  const { smallest, largest } = FONT_SIZES;
  return {
    id,
    group: "terminal",
    icon,
    disabled: () => {
      const size = preferences.getState().terminalFontSize + by;
      return size < smallest || size > largest ? "reasons.fontSize" : null;
    },
    perform: () => prefer({ terminalFontSize: preferences.getState().terminalFontSize + by }),
  };
}

export const terminalActions: Action[] = [
  forNodes("terminal.open", "t", (editor, node) => editor.terminals.open(node)),
  forNodes("terminal.add", "shift+t", (editor, node) => editor.terminals.add(node)),
  {
    // The way in and out by keyboard: while a terminal has the keys, Tab and Escape are its own.
    id: "terminal.go",
    group: "terminal",
    icon: "terminal",
    keys: ["mod+shift+l"],
    scope: "everywhere",
    disabled: none,
    perform: (editor) => {
      const { focused } = editor.terminals;
      if (document.activeElement?.closest("[data-terminal-keys]")) editor.terminals.focusTabs();
      else if (focused) editor.terminals.focus(focused);
    },
  },
  within("terminal.another", null, "plus", (editor) => {
    const { terminals } = editor;
    const node = terminals.state.getState().panes[terminals.focused ?? ""]?.node;
    if (node) terminals.add(node);
  }),
  within("terminal.splitRight", "mod+shift+e", "splitRight", (editor) =>
    editor.terminals.split("row"),
  ),
  within("terminal.splitBelow", "mod+shift+o", "splitBelow", (editor) =>
    editor.terminals.split("column"),
  ),
  towards("left"),
  towards("right"),
  towards("up"),
  towards("down"),
  within("terminal.wide", "mod+shift+x", "fit", (editor) =>
    editor.terminals.state.setState(({ wide }) => ({ wide: !wide })),
  ),
  within("terminal.copy", "mod+shift+c", "copy", (editor) => inUse(editor)?.copy()),
  within("terminal.find", "mod+shift+f", "search", (editor) => inUse(editor)?.find()),
  sized("terminal.larger", "plus", 1),
  sized("terminal.smaller", "minus", -1),
  {
    id: "terminal.reader",
    group: "terminal",
    icon: "speech",
    perform: (editor) => {
      const terminalReader = !preferences.getState().terminalReader;
      prefer({ terminalReader });
      editor.announce(terminalReader ? "say.readerOn" : "say.readerOff");
    },
  },
  within("terminal.close", "mod+shift+k", "close", (editor) => editor.terminals.close()),
];
