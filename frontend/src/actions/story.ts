/** Follow a packet: one that is to be sent, or one that was seen. */

import type { TraceRequest } from "../api/traces";
import type { Editor } from "../app/editor";
import type { Action } from "./action";

let runs = 0;

/** Foretell, send and follow a packet. */
export function trace(editor: Editor, request: TraceRequest): void {
  runs += 1;
  editor.ui.setState({
    story: { kind: "trace", request, run: runs },
    tool: { kind: "select" },
    inspectorOpen: true,
  });
}

/** Tell the story of a packet that was seen. */
export function follow(editor: Editor, packet: number): void {
  editor.ui.setState({ story: { kind: "packet", packet }, inspectorOpen: true });
}

const running = (editor: Editor) =>
  editor.session.facts.getState().lab.running ? null : "reasons.notRunning";

export const storyActions: Action[] = [
  {
    id: "trace",
    group: "draw",
    icon: "trace",
    keys: ["e"],
    scope: "canvas",
    disabled: running,
    perform: (editor) => {
      const [source, target] = editor.selectedNodes;
      if (source && target) {
        trace(editor, { source, target, protocol: "icmp", port: null });
        return;
      }
      editor.ui.setState({ tool: { kind: "trace", ...(source ? { source } : {}) } });
      editor.announce(source ? "say.pickTarget" : "say.pickTwo");
    },
  },
  {
    id: "follow",
    group: "draw",
    icon: "trace",
    keys: ["shift+e"],
    disabled: ({ ui }) => (ui.getState().pickedPacket === null ? "reasons.packet" : null),
    perform: (editor) => {
      const { pickedPacket } = editor.ui.getState();
      const row = editor.session.packets.store.byNumber(pickedPacket ?? 0);
      if (row) follow(editor, row.packet);
    },
  },
  {
    id: "leaveStory",
    group: "view",
    icon: "close",
    disabled: ({ ui }) => (ui.getState().story === null ? "reasons.noStory" : null),
    perform: ({ ui, focusCanvas }) => {
      ui.setState({ story: null });
      focusCanvas();
    },
  },
];
