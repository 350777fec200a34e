import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Group, Panel, Separator, useDefaultLayout } from "react-resizable-panels";
import { DecodePane } from "./DecodePane";
import type { DockModel } from "./dockModel";
import { PacketGrid } from "./PacketGrid";

/** The packet list, and beside it the packet that is picked. */
export function PacketsPane({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const layout = useDefaultLayout({ id: "topoweb.packets", storage: localStorage });
  const tree = useRef<HTMLDivElement>(null);
  return (
    <Group orientation="horizontal" className="packets-pane" {...layout}>
      <Panel id="list" minSize={280} defaultSize="62">
        <PacketGrid dock={dock} onOpen={() => tree.current?.focus()} />
      </Panel>
      <Separator className="grip vertical" aria-label={t("dock.resizeDecode")} />
      <Panel id="decode" minSize={240}>
        <DecodePane dock={dock} treeRef={tree} />
      </Panel>
    </Group>
  );
}
