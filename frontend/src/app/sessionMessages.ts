/** What happens in a session, as toasts and as words for a screen reader. */

import type { Said } from "../doc/said";
import type { Problem } from "../doc/store";
import { probeText } from "../panels/canvas/callouts";
import type { Editor } from "./editor";
import { announce, showToast } from "./messages";
import { failureLine, serverLine, serverText } from "./serverText";

export function connectMessages(editor: Editor): () => void {
  return editor.session.on({
    trouble: (said: Said, problems: Problem[]) => {
      const { message: title, hint } = serverText(said, editor.t);
      const lines = problems.slice(0, 4).map((problem) => serverLine(problem, editor.t));
      if (problems.length > 0) showToast("bad", editor.t("say.refused"), lines);
      else showToast("bad", title, hint ? [hint] : []);
      announce([title, ...lines].join(". "));
    },
    probe: (probe) => {
      if (probe.status === "done" || probe.status === "failed") announce(probeText(probe, editor));
    },
    phase: (status, before) => {
      announce(editor.t(`phase.${status.phase}`));
      if (status.phase === "failed" && before.phase !== "failed") {
        const lines = status.failures.slice(0, 4).map((failure) => failureLine(failure, editor.t));
        showToast("bad", serverLine(status, editor.t) || editor.t("phase.failed"), lines);
      }
    },
  });
}
