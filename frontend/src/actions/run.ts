/** Run, stop, plan, packets. */

import type { Editor } from "../app/editor";
import { isBusy } from "../net/session";
import type { Action } from "./action";

const facts = (editor: Editor) => editor.session.facts.getState();
const stopped = (editor: Editor) => (facts(editor).lab.running ? null : "reasons.notRunning");

function whyNotRun(editor: Editor): string | null {
  if (facts(editor).problems.some((problem) => problem.severity === "error")) {
    return "reasons.problems";
  }
  if (Object.keys(editor.topology.nodes).length === 0) return "reasons.empty";
  const { lab, status } = facts(editor);
  const again = status.phase === "failed" || status.phase === "cancelled";
  return lab.running && !again ? "reasons.running" : null;
}

export const runActions: Action[] = [
  {
    id: "run",
    group: "run",
    icon: "play",
    keys: ["mod+enter"],
    disabled: whyNotRun,
    perform: (editor) => editor.session.run(),
  },
  {
    id: "stop",
    group: "run",
    icon: "stop",
    keys: ["mod+shift+enter"],
    disabled: (editor) => {
      const { lab, status } = facts(editor);
      return lab.running || status.phase !== "stopped" ? null : "reasons.notRunning";
    },
    perform: (editor) => editor.session.stop(),
  },
  {
    id: "cancel",
    group: "run",
    icon: "close",
    disabled: (editor) => (isBusy(facts(editor).status) ? null : "reasons.notBusy"),
    perform: (editor) => editor.session.cancel(),
  },
  {
    id: "plan",
    group: "run",
    icon: "plan",
    keys: ["mod+shift+p"],
    perform: (editor) => editor.ui.setState({ dialog: "plan" }),
  },
  {
    id: "pausePackets",
    group: "run",
    icon: "pause",
    keys: ["k"],
    scope: "canvas",
    disabled: stopped,
    perform: (editor) => {
      const paused = !facts(editor).packetsPaused;
      editor.session.setPacketsPaused(paused);
      editor.announce(paused ? "say.paused" : "say.resumed");
    },
  },
];
