/** Add, connect, probe. */

import { isGranted } from "../api/types";
import type { Editor } from "../app/editor";
import { makeGroup, makeNode, makeNote } from "../doc/defaults";
import { connect, insertIntoLink } from "../doc/edits";
import { newId } from "../doc/ids";
import type { NodeKind, Topology } from "../doc/model";
import { nextNodeName } from "../doc/names";
import { add, batch } from "../doc/ops";
import type { IconName } from "../ui/Icon";
import type { Action } from "./action";

export type Placeable = NodeKind | "note" | "group";

const SPACING = 180; // px between nodes placed by keyboard
const CLEAR = 100; // px: nearer than this, a place is taken

/** The first free place around a point, ring by ring. */
export function freePlace(topology: Topology, near: { x: number; y: number }) {
  const taken = Object.values(topology.nodes);
  const free = (x: number, y: number) =>
    taken.every((node) => Math.hypot(node.x - x, node.y - y) >= CLEAR);
  const origin = { x: Math.round(near.x / 10) * 10, y: Math.round(near.y / 10) * 10 };
  for (let ring = 0; ; ring += 1) {
    for (let dy = -ring; dy <= ring; dy += 1) {
      for (let dx = -ring; dx <= ring; dx += 1) {
        if (Math.max(Math.abs(dx), Math.abs(dy)) !== ring) continue;
        const [x, y] = [origin.x + dx * SPACING, origin.y + dy * SPACING];
        if (free(x, y)) return { x, y };
      }
    }
  }
}

/** Draw one thing at a place and select it. */
export function placeAt(editor: Editor, what: Placeable, x: number, y: number): string {
  const { topology, t } = editor;
  if (what === "note") {
    const id = newId("notes");
    editor.submit(add("notes", id, makeNote(t("draw.note"), x, y)));
    editor.select([id]);
    return id;
  }
  if (what === "group") {
    const id = newId("groups");
    editor.submit(add("groups", id, makeGroup(t("draw.group"), x, y)));
    editor.select([id]);
    return id;
  }
  const id = newId("nodes");
  const name = nextNodeName(topology, what);
  editor.submit(add("nodes", id, makeNode(what, name, x, y)));
  editor.select([id]);
  editor.announce("say.added", { name });
  return id;
}

/** Draw by keyboard: beside the selected node, or in the middle of the view. */
export function placeNear(editor: Editor, what: Placeable): string {
  const { topology, selectedNodes } = editor;
  const anchor = topology.nodes[selectedNodes.at(-1) ?? ""] ?? editor.centre();
  const spot = freePlace(topology, anchor);
  return placeAt(editor, what, spot.x, spot.y);
}

/** Put a node into a cable. */
export function placeOnLink(editor: Editor, link: string, kind: NodeKind, x: number, y: number) {
  const inserted = insertIntoLink(editor.topology, link, kind, x, y);
  if (!inserted) return;
  editor.submit(inserted.operation);
  editor.select([inserted.node]);
}

/** Draw a cable between two nodes, or from a free interface. */
export function connectNodes(editor: Editor, from: string, to: string): void {
  const { topology } = editor;
  const operations = connect(topology, from, to);
  editor.submit(batch(operations));
  const name = (id: string) => topology.nodes[topology.interfaces[id]?.node ?? id]?.name ?? "";
  editor.announce("say.connected", { from: name(from), to: name(to) });
}

/** A way out of the lab needs an administrator's grant; one a lab is enough. */
export function whyNoUplink(editor: Editor): string | null {
  const { lab, features } = editor.session.facts.getState();
  if (features.uplink?.ok === false) return "uplink.unsupported";
  if (!isGranted(lab.uplink)) return "uplink.notGranted";
  const drawn = Object.values(editor.topology.nodes).some(({ kind }) => kind === "uplink");
  return drawn ? "uplink.onlyOne" : null;
}

const notRunning = (editor: Editor) =>
  editor.session.facts.getState().lab.running ? null : "reasons.notRunning";

function placing(
  what: Placeable,
  icon: IconName,
  key: string,
  disabled?: Action["disabled"],
): Action {
  return {
    id: `add.${what}`,
    group: "draw",
    icon,
    keys: [key],
    scope: "canvas",
    ...(disabled ? { disabled } : {}),
    perform: (editor) => {
      placeNear(editor, what);
    },
  };
}

export const drawActions: Action[] = [
  placing("host", "host", "h"),
  placing("router", "router", "r"),
  placing("switch", "switch", "s"),
  placing("uplink", "uplink", "u", whyNoUplink),
  placing("note", "note", "n"),
  placing("group", "group", "g"),
  {
    id: "connect",
    group: "draw",
    icon: "cable",
    keys: ["c"],
    scope: "canvas",
    disabled: (editor) =>
      Object.keys(editor.topology.nodes).length < 2 ? "reasons.twoNodes" : null,
    perform: (editor) => {
      const [from, to, ...more] = editor.selectedNodes;
      if (from && to && more.length === 0) {
        connectNodes(editor, from, to);
      } else if (from) {
        editor.ui.setState({ tool: { kind: "connect", from }, connectFrom: from });
      } else {
        editor.ui.setState({ tool: { kind: "connect" } });
        editor.announce("say.pickTwo");
      }
    },
  },
  {
    id: "probe",
    group: "draw",
    icon: "probe",
    keys: ["p"],
    scope: "canvas",
    disabled: notRunning,
    perform: (editor) => {
      const [source, target] = editor.selectedNodes;
      if (source && target && editor.selectedNodes.length === 2) {
        void editor.session.probe({ kind: "ping", source, target });
      } else {
        editor.ui.setState({ tool: { kind: "probe", ...(source ? { source } : {}) } });
        editor.announce(source ? "say.pickTarget" : "say.pickTwo");
      }
    },
  },
  {
    id: "probeForm",
    group: "draw",
    icon: "probe",
    keys: ["shift+p"],
    scope: "canvas",
    disabled: notRunning,
    perform: (editor) => {
      const [source = null, target = null] = editor.selectedNodes;
      editor.ui.setState({ dialog: "probe", probeSource: source, probeTarget: target });
    },
  },
];
