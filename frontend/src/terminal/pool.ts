/** The terminals of one lab as they live in this page: a screen and a connection for each pane. */

import { createStore } from "zustand/vanilla";
import { writeClipboard } from "../actions/clipboard";
import { ACTIONS } from "../actions/registry";
import { actionFor, matches } from "../actions/shortcuts";
import { whyNoTerminal } from "../actions/terminal";
import type { Editor } from "../app/editor";
import { preferences } from "../app/preferences";
import { TerminalSession } from "./session";
import type { Hands, Pool } from "./terminals";
import { XtermScreen } from "./xtermScreen";

/** What a pane shows over its screen. */
export interface Overlay {
  finding: boolean;
  found: { at: number; count: number } | null;
  link: string | null; // an address that the user clicked on
}

/** The browser itself pastes then, without being asked for the clipboard. */
const PASTE = "mod+shift+v";

export class OpenTerminal implements Hands {
  readonly overlay = createStore<Overlay>(() => ({ finding: false, found: null, link: null }));
  readonly screen: XtermScreen;
  readonly session: TerminalSession;

  constructor(
    private readonly editor: Editor,
    pane: string,
    node: string,
    terminal: string | null,
  ) {
    this.screen = new XtermScreen(
      {
        input: (text) => this.session.input(text),
        binary: (text) => this.session.inputBinary(text),
        resized: (columns, rows) => this.session.resized(columns, rows),
        title: (title) => this.session.setTitle(title),
        bell: () => this.session.setBell(true),
        link: (link) => this.overlay.setState({ link }),
        spares: (event) => this.spares(event, node),
        found: (at, count) => this.overlay.setState({ found: { at: at + 1, count } }),
        typed: () => this.session.goOn(),
      },
      settings(),
    );
    this.session = new TerminalSession(
      node,
      terminal,
      this.screen,
      (events) => editor.session.terminal(events),
      (id) => editor.terminals.setTerminal(pane, id),
    );
    this.session.start();
  }

  /** Copy what is selected. */
  copy(): void {
    const { selection } = this.screen;
    if (selection === "") return;
    // Without a secure context there is no clipboard to write to, but the browser's own command.
    if (navigator.clipboard) void writeClipboard(selection);
    else document.execCommand("copy");
    this.editor.announce("say.copied");
  }

  find(): void {
    this.overlay.setState({ finding: true });
  }

  closeFind(): void {
    this.overlay.setState({ finding: false, found: null });
    this.screen.find("", false);
    this.screen.focus();
  }

  dispose(): void {
    this.session.destroy();
    this.screen.dispose();
  }

  /** Keys that are the page's: shortcuts of the terminal, paste, and Enter once it is over. */
  private spares(event: KeyboardEvent, node: string): boolean {
    if (event.type !== "keydown") return false;
    const { phase } = this.session.state.getState();
    const over = phase === "ended" || phase === "refused";
    if (over && event.key === "Enter" && whyNoTerminal(this.editor, node) === null) {
      event.preventDefault();
      this.session.again();
      return true;
    }
    return matches(event, PASTE) || actionFor(event, ACTIONS) !== null;
  }
}

function settings() {
  const { terminalFontSize, terminalReader } = preferences.getState();
  return { fontSize: terminalFontSize, screenReader: terminalReader };
}

export class TerminalPool implements Pool {
  private open = new Map<string, OpenTerminal>();
  private stops: (() => void)[];

  constructor(private readonly editor: Editor) {
    this.stops = [
      editor.terminals.state.subscribe(() => this.follow()),
      preferences.subscribe((now, before) => {
        for (const { screen } of this.open.values()) {
          screen.set(settings());
          if (now.theme !== before.theme) screen.repaint();
        }
      }),
    ];
    this.follow();
  }

  get(pane: string): OpenTerminal | undefined {
    return this.open.get(pane);
  }

  hands(pane: string): Hands | undefined {
    return this.open.get(pane);
  }

  destroy(): void {
    for (const stop of this.stops) stop();
    for (const one of this.open.values()) one.dispose();
    this.open.clear();
  }

  /** Open what is new; hang up what was closed. */
  private follow(): void {
    const { panes } = this.editor.terminals.state.getState();
    for (const [pane, one] of this.open) {
      if (pane in panes) continue;
      this.open.delete(pane);
      one.session.end();
      one.dispose();
    }
    for (const [pane, { node, terminal }] of Object.entries(panes)) {
      if (!this.open.has(pane)) {
        this.open.set(pane, new OpenTerminal(this.editor, pane, node, terminal));
      }
    }
  }
}

/** The pool of an editor; made when the first terminal is shown. */
export function poolOf(editor: Editor): TerminalPool {
  const { terminals } = editor;
  if (!(terminals.pool instanceof TerminalPool)) terminals.pool = new TerminalPool(editor);
  return terminals.pool as TerminalPool;
}
