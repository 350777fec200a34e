import { lazy, Suspense, useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Group, Panel, Separator, useDefaultLayout } from "react-resizable-panels";
import { DecodePane } from "./DecodePane";
import type { DockModel } from "./dockModel";
import type { FilterSubject } from "./filterSubject";
import { PacketGrid } from "./PacketGrid";

const loadFilters = () => import("../../filter/index");
const FilterBox = lazy(async () => ({ default: (await loadFilters()).FilterBox }));
const FilterMenu = lazy(async () => ({ default: (await loadFilters()).FilterMenu }));

/** The packet list, and beside it the packet that is picked. */
export function PacketsPane({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const layout = useDefaultLayout({ id: "topoweb.packets", storage: localStorage });
  const tree = useRef<HTMLDivElement>(null);
  const wanted = useRef(false); // Enter was pressed before the fields had come
  const treeRef = useCallback((element: HTMLDivElement | null) => {
    tree.current = element;
    if (element && wanted.current) element.focus();
    wanted.current = false;
  }, []);
  const [menu, setMenu] = useState<FilterSubject | null>(null);
  const open = () => {
    wanted.current = tree.current === null;
    tree.current?.focus();
  };
  return (
    <Group orientation="horizontal" className="packets-pane" {...layout}>
      <Panel id="list" minSize={280} defaultSize="54">
        <div className="packet-column">
          <Suspense fallback={<div className="filter-room" />}>
            <FilterBox dock={dock} />
          </Suspense>
          <PacketGrid dock={dock} onOpen={open} onMenu={setMenu} />
        </div>
      </Panel>
      <Separator className="grip vertical" aria-label={t("dock.resizeDecode")} />
      <Panel id="decode" minSize={240}>
        <DecodePane dock={dock} treeRef={treeRef} onMenu={setMenu} />
      </Panel>
      {menu && (
        <Suspense>
          <FilterMenu dock={dock} subject={menu} onClose={() => setMenu(null)} />
        </Suspense>
      )}
    </Group>
  );
}
