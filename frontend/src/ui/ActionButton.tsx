import { memo } from "react";
import { useTranslation } from "react-i18next";
import { labelKey } from "../actions/action";
import { action } from "../actions/registry";
import { formatKeys, perform } from "../actions/shortcuts";
import { useEditor, useReason } from "../app/editor";
import { Button } from "./Button";
import type { IconName } from "./Icon";

interface Props {
  id: string;
  icon?: IconName;
  text?: boolean; // show the name, not the icon alone
  kind?: "primary" | "danger" | "bare";
}

/** A button for an action of the registry, with its reason when it cannot be used. */
export const ActionButton = memo(function ActionButton({ id, icon, text, kind }: Props) {
  const { t } = useTranslation();
  const editor = useEditor();
  const it = action(id);
  const reason = useReason(it);
  const shown = icon ?? it.icon;
  return (
    <Button
      label={t(labelKey(it))}
      {...(shown ? { icon: shown } : {})}
      {...(kind ? { kind } : {})}
      {...(it.keys?.[0] ? { shortcut: formatKeys(it.keys[0]) } : {})}
      disabledReason={reason && t(reason)}
      onPress={() => perform(editor, it)}
    >
      {text && t(labelKey(it))}
    </Button>
  );
});
