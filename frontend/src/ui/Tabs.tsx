/** Tabs after the ARIA pattern: arrows, Home and End choose; one tab stop for the list. */

import { type KeyboardEvent, type ReactNode, useRef } from "react";

interface TabListProps<K extends string> {
  id: string; // what its tabs and panels are told apart by
  label: string;
  tabs: readonly (readonly [key: K, title: ReactNode])[];
  selected: K;
  onSelect: (key: K) => void;
}

export function TabList<K extends string>(props: TabListProps<K>) {
  const { id, label, tabs, selected, onSelect } = props;
  const list = useRef<HTMLDivElement>(null);
  const keys = (event: KeyboardEvent) => {
    const to = goal(
      event.key,
      tabs.findIndex(([key]) => key === selected),
      tabs.length,
    );
    const next = to === null ? undefined : tabs[to];
    if (to === null || !next) return;
    event.preventDefault();
    onSelect(next[0]);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
  };
  return (
    <div ref={list} role="tablist" className="tab-list" aria-label={label} onKeyDown={keys}>
      {tabs.map(([key, title]) => (
        <button
          key={key}
          id={`${id}-tab-${key}`}
          type="button"
          role="tab"
          className="tab"
          aria-selected={key === selected}
          aria-controls={key === selected ? `${id}-panel` : undefined}
          tabIndex={key === selected ? 0 : -1}
          onClick={() => onSelect(key)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

/** Where a key leads among `count` tabs; null: it is none of theirs. */
function goal(key: string, at: number, count: number): number | null {
  if (key === "ArrowRight") return (at + 1) % count;
  if (key === "ArrowLeft") return (at + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

interface TabPanelProps {
  id: string; // of the list
  selected: string;
  /** It may hold nothing to focus: keys scroll it. */
  reading?: boolean;
  children: ReactNode;
}

/** What the chosen tab shows. */
export function TabPanel({ id, selected, reading, children }: TabPanelProps) {
  return (
    <div
      key={selected}
      id={`${id}-panel`}
      role="tabpanel"
      className="tab-panel"
      aria-labelledby={`${id}-tab-${selected}`}
      {...(reading ? { tabIndex: 0 } : {})}
    >
      {children}
    </div>
  );
}
