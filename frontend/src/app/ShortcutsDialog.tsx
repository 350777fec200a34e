import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { type ActionGroup, labelKey } from "../actions/action";
import { ACTIONS } from "../actions/registry";
import { formatKeys } from "../actions/shortcuts";
import { Modal } from "../ui/Modal";

const GROUPS: ActionGroup[] = ["run", "draw", "edit", "view", "terminal"];
const OUTLINE = ["arrows", "altArrows", "enter", "space", "typeConnect", "f2", "move", "remove"];

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal title={t("actions.shortcuts")} onClose={onClose} reading>
      <div className="shortcut-grid">
        {GROUPS.map((group) => (
          <Fragment key={group}>
            <h3>{t(`actionGroup.${group}`)}</h3>
            {ACTIONS.filter((action) => action.group === group && action.keys).map((action) => (
              <div key={action.id}>
                {t(labelKey(action))}
                <kbd>{formatKeys(action.keys?.[0] ?? "")}</kbd>
              </div>
            ))}
            {group === "terminal" && (
              <div>
                {t("terminal.paste")}
                <kbd>{formatKeys("mod+shift+v")}</kbd>
              </div>
            )}
          </Fragment>
        ))}
        <h3>{t("outline.title")}</h3>
        {OUTLINE.map((key) => (
          <div key={key}>
            {t(`outlineKeys.${key}.what`)}
            <kbd>{t(`outlineKeys.${key}.keys`)}</kbd>
          </div>
        ))}
      </div>
    </Modal>
  );
}
