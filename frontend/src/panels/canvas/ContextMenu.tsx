import { Suspense, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useEditor } from "../../app/editor";
import { MenuPopover } from "../../ui/ActionMenu";
import type { Menu } from "./sceneController";

const EMPTY = [
  "paste",
  "selectAll",
  "-",
  "add.host",
  "add.router",
  "add.switch",
  "add.note",
  "add.group",
  "-",
  "fit",
  "tidy.tiers",
];
const TERMINAL = new Set(["terminal.open", "terminal.add"]);
const SOME = [
  "terminal.open",
  "terminal.add",
  "connect",
  "probe",
  "probeForm",
  "toggleCable",
  "-",
  "cut",
  "copy",
  "paste",
  "duplicate",
  "-",
  "rename",
  "remove",
];

/** Actions for what is under the pointer. */
export function ContextMenu({ menu, onClose }: { menu: Menu; onClose: () => void }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const anchor = useRef<HTMLSpanElement>(null);
  const hasLinks = menu.ids.some((id) => editor.topology.links[id]);
  const hasNodes = menu.ids.some((id) => editor.topology.nodes[id]);
  const ids =
    menu.ids.length === 0
      ? EMPTY
      : SOME.filter((id) => (id !== "toggleCable" || hasLinks) && (!TERMINAL.has(id) || hasNodes));
  return (
    <>
      <span
        ref={anchor}
        className="menu-anchor"
        style={{ left: `${menu.x}px`, top: `${menu.y}px` }}
      />
      <Suspense>
        <MenuPopover
          label={t("canvas.menu")}
          ids={ids}
          anchor={anchor}
          offset={0}
          onClose={onClose}
        />
      </Suspense>
    </>
  );
}
