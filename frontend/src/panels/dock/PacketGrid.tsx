// A grid of which only some rows are in the page, placed by script, is no <table>; it holds the
// focus itself (aria-activedescendant) and takes the keys.
// biome-ignore-all lint/a11y/useSemanticElements: see above
// biome-ignore-all lint/a11y/useFocusableInteractive: see above
// biome-ignore-all lint/a11y/useKeyWithClickEvents: see above

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import type { PacketEnd } from "../../api/traces";
import { useFacts, useLab, useTopology } from "../../app/editor";
import type { PacketRow, PacketStore } from "../../packets/index";
import { Button } from "../../ui/Button";
import type { DockModel } from "./dockModel";
import { countAfter, isFiltered, rowsOf } from "./filter";
import type { FilterSubject } from "./filterSubject";
import { isMenuKey, moveFor, ROW, scrollFor, windowOf } from "./gridKeys";
import { linkName } from "./linkName";
import { PacketLine, rowId } from "./PacketLine";
import { usePaced } from "./paced";

const COLUMNS = ["number", "time", "link", "source", "destination", "protocol", "info"] as const;
const HEAD = 24; // px

interface Props {
  dock: DockModel;
  onOpen: () => void; // go on in the decoded packet
  onMenu: (subject: FilterSubject) => void;
}

/** The packet list: a grid of which only the rows in view are in the page. */
export function PacketGrid({ dock, onOpen, onMenu }: Props) {
  const { t } = useTranslation();
  const topology = useTopology();
  const picked = useStore(dock.state, (state) => state.picked);
  const { rows, fresh, follow } = useRows(dock);
  const { store } = useLab().packets;
  const grid = useRef<HTMLDivElement>(null);
  const view = useView(grid, rows.length, follow);
  const at = picked === null ? -1 : rows.findIndex((row) => row.number === picked.number);
  const origin = dock.head?.reach.from ?? dock.watch.clock.first ?? rows[0]?.time ?? 0;

  // What is picked, here or on the canvas, comes into view.
  const pickedNumber = picked?.number ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the pick changes, not the rows
  useEffect(() => {
    if (at >= 0) view.show(at);
  }, [pickedNumber]);

  const pick = useCallback(
    (row: PacketRow) => {
      dock.state.setState({ follow: false });
      dock.pick(row);
    },
    [dock],
  );
  const menuOf = useCallback(
    (row: PacketRow, x: number, y: number) => {
      pick(row);
      onMenu({ kind: "row", row, x, y });
    },
    [pick, onMenu],
  );
  const keys = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(view.height / ROW) - 1);
    const next = moveFor(event.key, at, rows.length, page);
    const row = next === null ? undefined : rows[next];
    if (row) pick(row);
    else if (isMenuKey(event) && picked !== null) {
      const box = document.getElementById(rowId(picked.number))?.getBoundingClientRect();
      menuOf(picked, (box?.left ?? 0) + 60, box?.bottom ?? 0);
    } else if (event.key === "Enter" && at >= 0) onOpen();
    else if (event.key === "Escape" && picked !== null) dock.pick(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { first, last } = view;
  return (
    <div className="packet-list">
      <div
        ref={grid}
        role="grid"
        className="packet-grid"
        aria-label={t("packets.title")}
        aria-rowcount={rows.length + 1}
        aria-colcount={COLUMNS.length}
        aria-activedescendant={
          picked && at >= first && at < last ? rowId(picked.number) : undefined
        }
        tabIndex={0}
        onKeyDown={keys}
        onScroll={() => {
          const atEnd = view.onScroll();
          if (atEnd !== follow) dock.state.setState({ follow: atEnd });
        }}
      >
        <div role="rowgroup" className="packet-head">
          <div role="row" aria-rowindex={1} className="packet-row">
            {COLUMNS.map((column) => (
              <span key={column} role="columnheader">
                {t(`packets.column.${column}`)}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="packet-body mono" style={{ height: rows.length * ROW }}>
          {rows.slice(first, last).map((row, offset) => (
            <PacketLine
              key={row.number}
              row={row}
              index={first + offset}
              link={linkName(row, topology)}
              origin={origin}
              picked={row.number === pickedNumber}
              kin={picked !== null && row.packet === picked.packet && row.number !== pickedNumber}
              end={endAt(store, row)}
              onPick={pick}
              onMenu={menuOf}
            />
          ))}
        </div>
      </div>
      {rows.length === 0 && <Empty dock={dock} />}
      {!follow && fresh > 0 && (
        <div className="newer">
          <Button
            label={t("packets.newer", { count: fresh })}
            icon="down"
            small
            onPress={() => dock.state.setState({ follow: true })}
          >
            {t("packets.newer", { count: fresh })}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Where the packet ended, on the last of its rows. */
function endAt(store: PacketStore, row: PacketRow): PacketEnd | undefined {
  const end = store.endOf(row.packet);
  return end && store.byPacket(row.packet).at(-1) === row ? end : undefined;
}

/** The rows to show: the newest while following, else those there were when it stopped. */
function useRows(dock: DockModel) {
  const { packets } = useLab();
  const { store } = packets;
  const turn = usePaced(useCallback((listener) => store.subscribe(listener), [store]));
  const filter = useStore(dock.state, (state) => state.filter);
  const follow = useStore(dock.state, (state) => state.follow);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` says that the store changed
  const newest = useMemo(() => rowsOf(store, filter), [store, filter, turn]);
  const held = useRef({ rows: newest, filter });
  if (follow || held.current.filter !== filter || newest.length === 0) {
    held.current = { rows: newest, filter };
  }
  const { rows } = held.current;
  dock.shown = rows;
  return { rows, follow, fresh: countAfter(newest, rows[rows.length - 1]) };
}

/** Which rows are in view; keeps at the end while following. */
function useView(grid: React.RefObject<HTMLDivElement | null>, count: number, follow: boolean) {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(240);
  useLayoutEffect(() => {
    const element = grid.current;
    if (!element) return;
    const measure = () => setHeight(Math.max(ROW, element.clientHeight - HEAD));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [grid]);
  useLayoutEffect(() => {
    const element = grid.current;
    if (!element || !follow) return;
    const end = Math.max(0, count * ROW - height);
    element.scrollTop = end;
    setTop(end);
  }, [grid, count, height, follow]);
  const { first, last } = windowOf(top, height, count);
  return {
    first,
    last,
    height,
    show: (at: number) => {
      const element = grid.current;
      if (!element) return;
      element.scrollTop = scrollFor(at, element.scrollTop, height);
      setTop(element.scrollTop);
    },
    /** Takes the new position; true at the end of the list. */
    onScroll: (): boolean => {
      const now = grid.current?.scrollTop ?? 0;
      setTop(now);
      return now >= count * ROW - height - ROW / 2;
    },
  };
}

function Empty({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const filtered = useStore(dock.state, (state) => isFiltered(state.filter));
  const running = useFacts((facts) => facts.lab.running);
  return (
    <div className="packet-empty">
      <p>{t(filtered ? "packets.noMatch" : running ? "packets.quiet" : "packets.stopped")}</p>
      {filtered && (
        <Button label={t("packets.clearFilter")} small onPress={() => dock.clearFilter()}>
          {t("packets.clearFilter")}
        </Button>
      )}
    </div>
  );
}
