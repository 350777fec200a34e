/**
 * Which terminals are open in this page: tabs of panes, kept over a reload. What a pane shows and
 * its connection are made by the pool, which is loaded with the first terminal.
 */

import { createStore } from "zustand/vanilla";
import { type Axis, beside, type Heading, panesOf, split, type Tree, without } from "./layout";

export interface TerminalTab {
  id: string;
  tree: Tree;
  focused: string; // the pane that keys go to
}

export interface TerminalPane {
  node: string;
  terminal: string | null; // null: the server has not given it an id yet
}

export interface TerminalsState {
  tabs: TerminalTab[];
  active: string | null; // tab
  panes: Record<string, TerminalPane>;
  wide: boolean; // the terminals fill the dock
}

/** What actions may do with an open terminal. */
export interface Hands {
  copy(): void;
  find(): void;
}

/** The loaded part: screens and connections. */
export interface Pool {
  hands(pane: string): Hands | undefined;
  /** Leave all terminals; their programs live on for a while. */
  destroy(): void;
}

const NONE: TerminalsState = { tabs: [], active: null, panes: {}, wide: false };

export class Terminals {
  readonly state;
  pool: Pool | null = null;
  /** Puts the keyboard into the list of tabs. */
  focusTabs: () => void = () => {};
  private wanted: string | null = null; // a pane that takes the keyboard as soon as it is there
  private asked = new Set<() => void>();

  /** `key` names what is kept in the session storage. */
  constructor(key: string) {
    this.state = createStore<TerminalsState>(() => restored(key));
    this.state.subscribe((state) => store(key, state));
  }

  /** Show this node's terminal, and open one when it has none. */
  open(node: string): void {
    const { tabs, panes } = this.state.getState();
    const known = tabs
      .flatMap((tab) => panesOf(tab.tree))
      .find((pane) => panes[pane]?.node === node);
    if (known) this.focus(known);
    else this.add(node);
  }

  /** A new terminal, in a tab of its own. */
  add(node: string): void {
    const [pane, tab] = [newId("p"), newId("t")];
    this.state.setState(({ tabs, panes }) => ({
      tabs: [...tabs, { id: tab, tree: pane, focused: pane }],
      active: tab,
      panes: { ...panes, [pane]: { node, terminal: null } },
    }));
    this.want(pane);
  }

  /** Another terminal on the same node, beside or below the one in use. */
  split(axis: Axis): void {
    const tab = this.activeTab;
    const beside = tab && this.state.getState().panes[tab.focused];
    if (!tab || !beside) return;
    const pane = newId("p");
    const tree = split(tab.tree, tab.focused, axis, pane, newId("s"));
    this.state.setState(({ tabs, panes }) => ({
      tabs: tabs.map((one) => (one === tab ? { ...tab, tree, focused: pane } : one)),
      panes: { ...panes, [pane]: { node: beside.node, terminal: null } },
    }));
    this.want(pane);
  }

  /** Close a pane, by default the one in use: its program ends. The keyboard goes to a neighbour. */
  close(pane: string | undefined = this.activeTab?.focused): void {
    const { tabs, active, panes } = this.state.getState();
    const at = tabs.findIndex((tab) => panesOf(tab.tree).includes(pane ?? ""));
    const tab = tabs[at];
    if (!tab || pane === undefined) return;
    const order = panesOf(tab.tree);
    const tree = without(tab.tree, pane);
    const left = Object.fromEntries(Object.entries(panes).filter(([id]) => id !== pane));
    if (tree === null) {
      const rest = tabs.filter((one) => one !== tab);
      const next = tab.id === active ? (rest[Math.min(at, rest.length - 1)]?.id ?? null) : active;
      this.state.setState({ tabs: rest, active: next, panes: left });
    } else {
      const beside = order[order.indexOf(pane) - 1] ?? panesOf(tree)[0] ?? "";
      const focused = tab.focused === pane ? beside : tab.focused;
      this.state.setState({
        tabs: tabs.map((one) => (one === tab ? { ...tab, tree, focused } : one)),
        panes: left,
      });
    }
    const next = this.activeTab?.focused;
    if (next) this.want(next);
  }

  /** Note which pane has the keyboard. */
  entered(pane: string): void {
    this.state.setState(({ tabs }) => {
      const tab = tabs.find((one) => panesOf(one.tree).includes(pane));
      if (!tab) return {};
      return {
        active: tab.id,
        tabs: tabs.map((one) => (one === tab ? { ...tab, focused: pane } : one)),
      };
    });
  }

  /** Show a pane and give it the keyboard. */
  focus(pane: string): void {
    this.entered(pane);
    this.want(pane);
  }

  /** Go to the pane that way; at the rim nothing happens. */
  go(heading: Heading): void {
    const tab = this.activeTab;
    const next = tab && beside(tab.tree, tab.focused, heading);
    if (next) this.focus(next);
  }

  /** The server has given a pane's terminal an id; null: the next one is a new one. */
  setTerminal(pane: string, terminal: string | null): void {
    this.state.setState(({ panes }) => {
      const known = panes[pane];
      return known ? { panes: { ...panes, [pane]: { ...known, terminal } } } : {};
    });
  }

  /** The pane in use. */
  get focused(): string | null {
    return this.activeTab?.focused ?? null;
  }

  get activeTab(): TerminalTab | undefined {
    const { tabs, active } = this.state.getState();
    return tabs.find((tab) => tab.id === active);
  }

  /** True once, for the pane that was asked to take the keyboard. */
  takesFocus(pane: string): boolean {
    if (this.wanted !== pane) return false;
    this.wanted = null;
    return true;
  }

  /** Hear when a terminal is wanted on the screen; returns how to stop. */
  onWanted(hear: () => void): () => void {
    this.asked.add(hear);
    return () => this.asked.delete(hear);
  }

  /** The page leaves the lab: connections end, programs live on for a while. */
  destroy(): void {
    this.pool?.destroy();
    this.pool = null;
  }

  private want(pane: string): void {
    this.wanted = pane;
    for (const hear of [...this.asked]) hear();
  }
}

function newId(prefix: string): string {
  return prefix + Array.from(crypto.getRandomValues(new Uint8Array(6)), digit).join("");
}

const digit = (byte: number) => (byte % 36).toString(36);

/** What this browser tab had open: a reload joins the same terminals. */
function restored(key: string): TerminalsState {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? "null") as TerminalsState | null;
    return found && found.tabs.length > 0 ? { ...NONE, ...found } : NONE;
  } catch {
    return NONE;
  }
}

function store(key: string, state: TerminalsState): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(state));
  } catch {
    // Private mode without storage: a reload begins without terminals.
  }
}
