/** Services from the keyboard: one command a node and kind, and the list of programs. */

import type { Editor } from "../app/editor";
import { addService, whyNotServe } from "../doc/serviceEdits";
import { SERVICE_KINDS, type ServiceKind } from "../doc/services";
import type { Action } from "./action";

const MANY = 200; // nodes; beyond, only the selected ones have commands

export interface ServiceCommand {
  key: string;
  kind: ServiceKind;
  node: string;
  name: string; // of the node
  why: string | null; // i18n key of the reason why not
}

/** "Add DHCP server to r1" for every node that may want one. */
export function serviceCommands(editor: Editor): ServiceCommand[] {
  const { topology, selectedNodes } = editor;
  const all = Object.keys(topology.nodes);
  const nodes = all.length > MANY ? selectedNodes : all;
  return nodes.flatMap((node) => {
    const { name, kind: nodeKind } = topology.nodes[node] ?? { name: "", kind: "uplink" };
    if (nodeKind === "uplink") return [];
    return SERVICE_KINDS.map((kind) => ({
      key: `${kind} ${node}`,
      kind,
      node,
      name,
      why: whyNotServe(topology, node, kind),
    }));
  });
}

/** Draw a service where there is room for it, and go on with its options. */
export function serve(editor: Editor, node: string, kind: ServiceKind): void {
  const added = addService(editor.topology, node, kind);
  if (!added) return;
  editor.submit(added.operation);
  editor.select([node]);
  editor.ui.setState({
    inspectorOpen: true,
    inspectorTab: "services",
    focusedService: added.id,
  });
  editor.announce("services.added", {
    name: editor.t(`services.kind.${kind}`),
    node: editor.topology.nodes[node]?.name ?? "",
  });
  editor.focusInspector();
}

export const serviceActions: Action[] = [
  {
    id: "tools",
    group: "view",
    icon: "service",
    perform: (editor) => editor.ui.setState({ dialog: "tools" }),
  },
];
