/** What one person looks at: selection, tool, open panels. Nothing of it is shared or stored. */

import { createStore } from "zustand/vanilla";
import type { TraceRequest } from "../api/traces";
import type { Tool } from "../scene/contract";

export type Dialog = "plan" | "shortcuts" | "probe" | "recording" | "tools" | null;
export type InspectorTab = "properties" | "interfaces" | "routes" | "services" | "live";

/** Whose story is told: a packet that is to be sent, or one that was seen. `run` tells asks apart. */
export type Story =
  | { kind: "trace"; request: TraceRequest; run: number }
  | { kind: "packet"; packet: number };

export interface UiState {
  selection: ReadonlySet<string>; // ids of nodes, links, notes, groups
  tool: Tool;
  moveMode: boolean; // arrows move the selection
  dialog: Dialog;
  commandOpen: boolean;
  problemsOpen: boolean;
  inspectorTab: InspectorTab;
  inspectorOpen: boolean; // matters on narrow screens, where it overlays
  focusedPort: string | null; // the interface to open in the inspector
  focusedService: string | null; // the service to open in the inspector
  connectFrom: string | null; // node or free interface whose target is being typed
  renaming: string | null; // outline row under rename
  probeSource: string | null;
  probeTarget: string | null;
  zoom: number;
  story: Story | null;
  pickedPacket: number | null; // row number of the packet chosen on the canvas or in the list
}

export type UiStore = ReturnType<typeof createUiStore>;

const NONE: ReadonlySet<string> = new Set();

export function createUiStore() {
  return createStore<UiState>(() => ({
    selection: NONE,
    tool: { kind: "select" },
    moveMode: false,
    dialog: null,
    commandOpen: false,
    problemsOpen: false,
    inspectorTab: "properties",
    inspectorOpen: true,
    focusedPort: null,
    focusedService: null,
    connectFrom: null,
    renaming: null,
    probeSource: null,
    probeTarget: null,
    zoom: 1,
    story: null,
    pickedPacket: null,
  }));
}

/** The selection after choosing `ids`. */
export function select(
  before: ReadonlySet<string>,
  ids: readonly string[],
  mode: "replace" | "toggle" | "add",
): ReadonlySet<string> {
  if (mode === "replace") return new Set(ids);
  const next = new Set(before);
  for (const id of ids) {
    if (mode === "toggle" && next.has(id)) next.delete(id);
    else next.add(id);
  }
  return next;
}
