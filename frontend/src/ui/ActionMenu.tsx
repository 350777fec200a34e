import {
  Button as AriaButton,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  Separator,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { labelKey } from "../actions/action";
import { action } from "../actions/registry";
import { formatKeys, perform } from "../actions/shortcuts";
import { type Editor, useEditor } from "../app/editor";
import { Icon, type IconName } from "./Icon";

/** Entries of a menu: ids of actions; "-" is a line between. */
export function ActionItems({
  ids,
  label,
  onClose,
}: {
  ids: string[];
  label: string;
  onClose?: () => void;
}) {
  const { t } = useTranslation();
  const editor = useEditor();
  const reasons = new Map(ids.filter((id) => id !== "-").map((id) => [id, reasonOf(id, editor)]));
  return (
    <Menu
      className="menu"
      aria-label={label}
      {...(onClose ? { onClose } : {})}
      disabledKeys={[...reasons].filter(([, reason]) => reason !== null).map(([id]) => id)}
      onAction={(id) => perform(editor, action(String(id)))}
    >
      {ids.map((id, at) => {
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity
        if (id === "-") return <Separator key={`line${at}`} className="menu-separator" />;
        const it = action(id);
        const reason = reasons.get(id);
        return (
          <MenuItem key={id} id={id} className="menu-item" textValue={t(labelKey(it))}>
            {it.icon && <Icon name={it.icon} />}
            <span>
              {t(labelKey(it))}
              {reason && <span className="why">{t(reason)}</span>}
            </span>
            {it.keys?.[0] && <kbd>{formatKeys(it.keys[0])}</kbd>}
          </MenuItem>
        );
      })}
    </Menu>
  );
}

function reasonOf(id: string, editor: Editor): string | null {
  return action(id).disabled?.(editor) ?? null;
}

interface ActionMenuProps {
  label: string;
  icon: IconName;
  ids: string[];
  text?: boolean;
}

export function ActionMenu({ label, icon, ids, text }: ActionMenuProps) {
  return (
    <MenuTrigger>
      <AriaButton className={text ? "btn" : "btn icon"} aria-label={label}>
        <Icon name={icon} />
        {text && label}
      </AriaButton>
      <Popover className="popover" offset={4}>
        <ActionItems ids={ids} label={label} />
      </Popover>
    </MenuTrigger>
  );
}
