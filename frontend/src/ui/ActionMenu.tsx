import { lazy, Suspense, useRef, useState } from "react";
import { Icon, type IconName } from "./Icon";

export const loadMenus = () => import("./MenuPopover");

/** A menu at a place; `ids` of actions, "-" is a line between. */
export const MenuPopover = lazy(async () => ({ default: (await loadMenus()).MenuPopover }));

interface ActionMenuProps {
  label: string;
  icon: IconName;
  ids: string[];
  text?: boolean;
}

/** A button that opens a menu of actions. */
export function ActionMenu({ label, icon, ids, text }: ActionMenuProps) {
  const [open, setOpen] = useState<"by key" | "by pointer" | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        className={text ? "btn" : "btn icon"}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open !== null}
        onClick={(event) => setOpen(event.detail === 0 ? "by key" : "by pointer")}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          setOpen("by key");
        }}
      >
        <Icon name={icon} />
        {text && label}
      </button>
      {open && (
        <Suspense>
          <MenuPopover
            label={label}
            ids={ids}
            anchor={button}
            keyboard={open === "by key"}
            onClose={() => setOpen(null)}
          />
        </Suspense>
      )}
    </>
  );
}
