/** What happens in a session, as toasts and as words for a screen reader. */

import type { Problem } from "../doc/store";
import { probeText } from "../panels/canvas/callouts";
import type { Editor } from "./editor";
import { announce, showToast } from "./messages";
import { problemText } from "./problemText";

export function connectMessages(editor: Editor): () => void {
  return editor.session.on({
    trouble: (title: string, problems: Problem[]) => {
      const lines = problems.slice(0, 4).map((problem) => {
        const { message, hint } = problemText(problem, editor.t);
        return [message, hint].filter(Boolean).join(" ");
      });
      showToast("bad", problems.length > 0 ? editor.t("say.refused") : title, lines);
      announce([title, ...lines].join(". "));
    },
    probe: (probe) => {
      if (probe.status === "done" || probe.status === "failed") announce(probeText(probe, editor));
    },
    phase: (status, before) => {
      announce(editor.t(`phase.${status.phase}`));
      if (status.phase === "failed" && before.phase !== "failed") {
        const lines = status.failures
          .slice(0, 4)
          .map(({ subject, message, hint }) =>
            [subject && `${subject}:`, message, hint].filter(Boolean).join(" "),
          );
        showToast("bad", status.message || editor.t("phase.failed"), lines);
      }
    },
  });
}
