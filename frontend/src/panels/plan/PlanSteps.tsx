import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { writeClipboard } from "../../actions/clipboard";
import type { PlanStep } from "../../api/types";
import { useEditor, useFacts, useTopology } from "../../app/editor";
import { showToast } from "../../app/messages";
import { Button } from "../../ui/Button";

const SHOWN = 500; // steps; the rest is in the copied text
const SETTLE = 400; // ms after the last change of the drawing

/** What Run would do now; null until it is known. Asked for anew when the drawing or kernel change. */
export function usePlan(): PlanStep[] | null {
  const editor = useEditor();
  const topology = useTopology();
  const status = useFacts((facts) => facts.status);
  const [steps, setSteps] = useState<PlanStep[] | null>(null);
  const known = steps !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the plan depends on at the server
  useEffect(() => {
    let gone = false;
    const ask = async () => {
      const plan = await editor.session.attempt(() => editor.session.api.plan());
      if (!gone) setSteps(plan?.steps ?? []);
    };
    const timer = setTimeout(() => void ask(), known ? SETTLE : 0);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [editor, topology, status.phase, status.observed_generation]);
  return steps;
}

/** The steps as commands, each with its reason. */
export function PlanList({ steps }: { steps: readonly PlanStep[] | null }) {
  const { t } = useTranslation();
  if (steps === null) return <p className="dim">{t("app.loading")}</p>;
  if (steps.length === 0) return <p className="dim">{t("plan.nothing")}</p>;
  return (
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
  );
}

export function CopyPlan({ steps }: { steps: readonly PlanStep[] | null }) {
  const { t } = useTranslation();
  const copy = async () => {
    await writeClipboard((steps ?? []).map((step) => step.command).join("\n"));
    showToast("ok", t("plan.copied"));
  };
  return (
    <Button label={t("plan.copy")} icon="copy" onPress={() => void copy()}>
      {t("plan.copy")}
    </Button>
  );
}

/** The plan in a tab: it follows the drawing. */
export function PlanSteps() {
  const steps = usePlan();
  return (
    <div className="plan-tab">
      <div>
        <PlanList steps={steps} />
      </div>
      {steps && steps.length > 0 && <CopyPlan steps={steps} />}
    </div>
  );
}
