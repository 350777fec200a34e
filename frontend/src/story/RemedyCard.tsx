import { useState } from "react";
import type { Remedy } from "../api/traces";
import { useEditor, useFacts } from "../app/editor";
import { isBusy } from "../net/session";
import { Button } from "../ui/Button";
import { useStory, useStoryModel } from "./hooks";
import { useNames, useSentence, useWords } from "./words";

/** What would help: as commands to type, and as one undoable change of the drawing. */
export function RemedyCard({ remedy }: { remedy: Remedy }) {
  const { t } = useWords();
  const editor = useEditor();
  const say = useSentence();
  const nameOf = useNames();
  const [applied, setApplied] = useState(false);
  const [copied, setCopied] = useState(false);
  const { operation, commands, node } = remedy;
  const { mended } = useStoryModel();
  const apply = () => {
    editor.submit(operation);
    setApplied(true);
    editor.announce("story.applied", { ns: "story" });
  };
  const copy = async () => {
    await navigator.clipboard.writeText(commands.join("\n"));
    setCopied(true);
  };
  return (
    <section className="story-section">
      <h3>{t("story.remedy")}</h3>
      <div className="story-remedy">
        <div className="story-remedy-head">
          <b>{say(remedy.text)}</b>
          {commands.length > 0 && (
            <Button
              label={t("story.copy")}
              icon={copied ? "check" : "copy"}
              kind="bare"
              small
              onPress={() => void copy()}
            >
              {t(copied ? "story.copied" : "story.copy")}
            </Button>
          )}
        </div>
        {commands.length > 0 && (
          <pre className="story-commands">
            {commands.map((command) => `${nameOf(node)}# ${command}`).join("\n")}
          </pre>
        )}
        {mended && (
          <p className={mended.verdict.kind === "fault" ? "story-mended bad" : "story-mended"}>
            {t("story.mended")} {say(mended.verdict.text)}
          </p>
        )}
        {operation && !applied && !editor.session.readOnly && (
          <Button label={t("story.apply")} icon="plus" kind="primary" onPress={apply}>
            {t("story.apply")}
          </Button>
        )}
        {applied && <Applied />}
      </div>
    </section>
  );
}

/** Said, and the way on: the same packet once more. */
function Applied() {
  const { t } = useWords();
  const model = useStoryModel();
  const request = useStory((state) => state.request);
  const busy = useFacts(({ status }) => isBusy(status));
  return (
    <div className="story-applied">
      <span className="ok">✓ {t("story.applied")}</span>
      {request && (
        <Button
          label={t("story.once")}
          icon="play"
          kind="primary"
          disabledReason={busy ? t("story.busy") : null}
          onPress={() => model.again(request)}
        >
          {t("story.once")}
        </Button>
      )}
    </div>
  );
}
