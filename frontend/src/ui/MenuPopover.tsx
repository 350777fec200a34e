/** A menu of actions over the page. Loaded with the first menu that is opened. */

import type { RefObject } from "react";
import { Menu, MenuItem, Popover, Separator } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { labelKey } from "../actions/action";
import { action } from "../actions/registry";
import { formatKeys, perform } from "../actions/shortcuts";
import { type Editor, useEditor } from "../app/editor";
import { Icon } from "./Icon";

interface Props {
  label: string;
  /** Ids of actions; "-" is a line between. */
  ids: readonly string[];
  anchor: RefObject<HTMLElement | null>;
  onClose: () => void;
  keyboard?: boolean; // opened by a key: the first entry takes the focus, not the menu
  offset?: number;
}

export function MenuPopover(props: Props) {
  const { label, anchor, onClose, offset = 4 } = props;
  return (
    <Popover
      className="popover"
      aria-label={label}
      triggerRef={anchor}
      isOpen
      placement="bottom start"
      offset={offset}
      onOpenChange={(open) => !open && onClose()}
    >
      <Items {...props} />
    </Popover>
  );
}

function Items({ label, ids, onClose, keyboard }: Props) {
  const { t } = useTranslation();
  const editor = useEditor();
  const reasons = new Map(ids.filter((id) => id !== "-").map((id) => [id, reasonOf(id, editor)]));
  return (
    <Menu
      className="menu"
      aria-label={label}
      autoFocus={keyboard ? "first" : true}
      onClose={onClose}
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
