/** The editor of one lab: what every action and panel works on. */

import type { TFunction } from "i18next";
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import type { Action } from "../actions/action";
import type { Topology } from "../doc/model";
import type { Operation } from "../doc/ops";
import type { SaveState } from "../doc/store";
import type { LiveStore } from "../net/live";
import type { Facts, LabSession } from "../net/session";
import type { Choreographer } from "../packets/index";
import type { SceneView } from "../scene/contract";
import { Terminals } from "../terminal/terminals";
import { announce } from "./messages";
import { preferences } from "./preferences";
import { createUiStore, select, type UiState, type UiStore } from "./uiStore";

/** How a panel is found by the keyboard, and what of the canvas an action may use. */
export class Editor {
  readonly ui: UiStore = createUiStore();
  readonly terminals: Terminals;
  scene: SceneView | null = null;
  /** How packets are played on the canvas; its speed may be set, 0.1–4. */
  playout: Choreographer | null = null;
  focusCanvas: () => void = () => {};
  focusInspector: () => void = () => {};

  constructor(
    readonly session: LabSession,
    readonly t: TFunction,
  ) {
    this.terminals = new Terminals(`topoweb.terminals.${session.id}`);
  }

  get topology(): Topology {
    return this.session.topology;
  }

  get selection(): ReadonlySet<string> {
    return this.ui.getState().selection;
  }

  /** Ids of the selected nodes, in the order they were selected. */
  get selectedNodes(): string[] {
    return [...this.selection].filter((id) => id in this.topology.nodes);
  }

  select(ids: readonly string[], mode: "replace" | "toggle" | "add" = "replace"): void {
    this.ui.setState((state) => ({ selection: select(state.selection, ids, mode) }));
  }

  submit(operation: Operation | null): void {
    this.session.submit(operation);
  }

  /** Anything that decides what can be done may have changed. Returns how to stop listening. */
  onChange(listener: () => void): () => void {
    const { doc, undo, facts, live } = this.session;
    const stores = [doc, undo, facts, live, this.ui, this.terminals.state, preferences];
    const stops = stores.map((store) => store.subscribe(listener));
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Say in the user's language, politely. */
  announce(key: string, values: Record<string, unknown> = {}): void {
    announce(this.t(key, values));
  }

  /** The middle of what the canvas shows, in world px. */
  centre(): { x: number; y: number } {
    const host = document.querySelector("[data-canvas]")?.getBoundingClientRect();
    if (!this.scene || !host || host.width === 0) return { x: 0, y: 0 };
    return this.scene.clientToWorld(host.left + host.width / 2, host.top + host.height / 2);
  }
}

export const EditorContext = createContext<Editor | null>(null);

export function useEditor(): Editor {
  const editor = useContext(EditorContext);
  if (!editor) throw new Error("outside of an editor");
  return editor;
}

/** The open lab: document, live state, packets, facts. */
export function useLab(): LabSession {
  return useEditor().session;
}

export function useUi<T>(selector: (state: UiState) => T): T {
  return useStore(useEditor().ui, selector);
}

export function useFacts<T>(selector: (facts: Facts) => T): T {
  return useStore(useLab().facts, selector);
}

export function useTopology(): Topology {
  const { doc } = useLab();
  return useSyncExternalStore(doc.subscribe, () => doc.topology);
}

export function useSaveState(): SaveState {
  const { doc } = useLab();
  return useSyncExternalStore(doc.subscribe, () => doc.saveState);
}

/** A part of the drawing: an object of it, or a plain value. Another part's change renders nothing. */
export function useDrawn<T>(part: (topology: Topology) => T): T {
  const { doc } = useLab();
  return useSyncExternalStore(doc.subscribe, () => part(doc.topology));
}

/** A part of the live state, likewise; read at most five times a second. */
export function useLivePart<T>(part: (live: LiveStore) => T): T {
  const { live } = useLab();
  return useSyncExternalStore(live.subscribe, () => part(live));
}

/** Why an action cannot be done now, as an i18n key; null: it can. Renders when that changes. */
export function useReason(action: Action): string | null {
  const editor = useEditor();
  const subscribe = useCallback((listener: () => void) => editor.onChange(listener), [editor]);
  return useSyncExternalStore(subscribe, () => action.disabled?.(editor) ?? null);
}

/** The whole live state; the component renders anew at most five times a second. */
export function useLive(): LiveStore {
  const { live } = useLab();
  useSyncExternalStore(live.subscribe, () => live.version);
  return live;
}
