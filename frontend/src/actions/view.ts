/** Camera, layout, panels, preferences. */

import type { Editor } from "../app/editor";
import { prefer, preferences } from "../app/preferences";
import { moveAll } from "../doc/edits";
import { indexOf } from "../doc/graph";
import type { Topology } from "../doc/model";
import { tidy as arrange, type LayoutGraph, type LayoutKind } from "../layout/index";
import type { IconName } from "../ui/Icon";
import type { Action } from "./action";

const noScene = (editor: Editor) => (editor.scene ? null : "reasons.canvas");

function camera(id: string, icon: IconName, keys: string[], act: (editor: Editor) => void): Action {
  return { id, group: "view", icon, keys, scope: "canvas", disabled: noScene, perform: act };
}

/** What is to be arranged: everything, or only some nodes. */
function layoutGraph(topology: Topology, only: ReadonlySet<string> | null): LayoutGraph {
  const index = indexOf(topology);
  const wanted = (id: string) => only === null || only.has(id);
  const end = (port: string) => topology.interfaces[port]?.node ?? "";
  const links = [...new Set([...index.linksAt.values()].flat())].flatMap((id) => {
    const link = topology.links[id];
    return link && wanted(end(link.a)) && wanted(end(link.b))
      ? [{ a: end(link.a), b: end(link.b) }]
      : [];
  });
  return {
    nodes: Object.entries(topology.nodes).flatMap(([id, { kind, x, y }]) =>
      wanted(id) ? [{ id, kind, x, y }] : [],
    ),
    links,
    groups:
      only === null
        ? Object.entries(topology.groups).map(([id, { x, y, width, height }]) => ({
            id,
            x,
            y,
            width,
            height,
          }))
        : [],
  };
}

function tidy(kind: LayoutKind): Action {
  return {
    id: `tidy.${kind}`,
    group: "view",
    icon: "layout",
    disabled: (editor) =>
      Object.keys(editor.topology.nodes).length < 2 ? "reasons.twoNodes" : null,
    perform: async (editor) => {
      const chosen = editor.selectedNodes;
      const graph = layoutGraph(editor.topology, chosen.length > 1 ? new Set(chosen) : null);
      const { nodes, groups } = await arrange(graph, kind);
      const moves = Object.entries({ ...nodes, ...groups }).map(([id, at]) => ({ id, ...at }));
      editor.submit(moveAll(editor.topology, moves));
      editor.scene?.fit();
      editor.announce("say.tidied");
    },
  };
}

export const viewActions: Action[] = [
  camera("fit", "fit", ["f", "shift+1"], (editor) => {
    const ids = [...editor.selection];
    editor.scene?.fit(ids.length > 0 ? ids : undefined);
  }),
  camera("zoomIn", "plus", ["+", "="], (editor) => editor.scene?.zoomBy(1.25)),
  camera("zoomOut", "minus", ["-"], (editor) => editor.scene?.zoomBy(0.8)),
  tidy("tiers"),
  tidy("organic"),
  tidy("circle"),
  {
    id: "command",
    group: "view",
    icon: "search",
    keys: ["mod+k"],
    perform: (editor) => editor.ui.setState({ commandOpen: true }),
  },
  {
    id: "shortcuts",
    group: "view",
    icon: "keyboard",
    keys: ["?"],
    perform: (editor) => editor.ui.setState({ dialog: "shortcuts" }),
  },
  {
    id: "problems",
    group: "view",
    icon: "warning",
    perform: (editor) =>
      editor.ui.setState(({ problemsOpen }) => ({ problemsOpen: !problemsOpen })),
  },
  {
    id: "inspector",
    group: "view",
    icon: "panel",
    keys: ["mod+i"],
    perform: (editor) =>
      editor.ui.setState(({ inspectorOpen }) => ({ inspectorOpen: !inspectorOpen })),
  },
  {
    id: "theme",
    group: "preferences",
    icon: "moon",
    perform: () => prefer({ theme: preferences.getState().theme === "dark" ? "light" : "dark" }),
  },
  {
    id: "language",
    group: "preferences",
    icon: "language",
    perform: () => prefer({ language: preferences.getState().language === "en" ? "zh-CN" : "en" }),
  },
];
