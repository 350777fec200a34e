import { useTranslation } from "react-i18next";
import { action } from "../../actions/registry";
import { perform } from "../../actions/shortcuts";
import { useEditor } from "../../app/editor";
import { Button } from "../../ui/Button";
import { Modal } from "../../ui/Modal";
import { CopyPlan, PlanList, usePlan } from "./PlanSteps";

/** What Run would do now, as commands with their reasons. */
export function PlanDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const steps = usePlan();
  const reason = action("run").disabled?.(editor) ?? null;
  return (
    <Modal
      title={t("plan.title")}
      onClose={onClose}
      reading
      footer={
        <>
          <CopyPlan steps={steps} />
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
      <PlanList steps={steps} />
    </Modal>
  );
}
