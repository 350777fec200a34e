import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { writeClipboard } from "../../actions/clipboard";
import { action } from "../../actions/registry";
import { perform } from "../../actions/shortcuts";
import type { PlanStep } from "../../api/types";
import { useEditor } from "../../app/editor";
import { showToast } from "../../app/messages";
import { Button } from "../../ui/Button";
import { Modal } from "../../ui/Modal";

const SHOWN = 500; // steps; the rest is in the copied text

/** What Run would do now, as commands with their reasons. */
export function PlanDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const [steps, setSteps] = useState<PlanStep[] | null>(null);
  useEffect(() => {
    let gone = false;
    void editor.session
      .attempt(() => editor.session.api.plan())
      .then((plan) => {
        if (!gone) setSteps(plan?.steps ?? []);
      });
    return () => {
      gone = true;
    };
  }, [editor]);
  const copy = async () => {
    await writeClipboard((steps ?? []).map((step) => step.command).join("\n"));
    showToast("ok", t("plan.copied"));
  };
  const reason = action("run").disabled?.(editor) ?? null;
  return (
    <Modal
      title={t("plan.title")}
      onClose={onClose}
      footer={
        <>
          <Button label={t("plan.copy")} icon="copy" onPress={() => void copy()}>
            {t("plan.copy")}
          </Button>
          <Button
            label={t("actions.run")}
            icon="play"
            kind="primary"
            disabledReason={reason && t(reason)}
            onPress={() => {
              onClose();
              perform(editor, action("run"));
            }}
          >
            {t("actions.run")}
          </Button>
        </>
      }
    >
      {steps === null && <p className="dim">{t("app.loading")}</p>}
      {steps?.length === 0 && <p className="dim">{t("plan.nothing")}</p>}
      {steps && steps.length > 0 && (
        <>
          <p className="dim">{t("plan.count", { count: steps.length })}</p>
          <ol className="plan-steps">
            {steps.slice(0, SHOWN).map((step, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a plan is a sequence
              <li key={at}>
                <code className="mono">{step.command}</code>
                <span className="dim">{step.reason}</span>
              </li>
            ))}
          </ol>
        </>
      )}
    </Modal>
  );
}
