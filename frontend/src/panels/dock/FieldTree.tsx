import type { TFunction } from "i18next";
import { memo, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../../ui/Icon";
import { type FieldRow, stepFor } from "./fieldRows";
import { isMenuKey } from "./gridKeys";

interface Props {
  rows: readonly FieldRow[];
  active: string | null;
  hop: string; // the name of the previous hop
  treeRef: React.Ref<HTMLDivElement>;
  onActive: (key: string) => void;
  onOpen: (key: string, open: boolean) => void;
  onHover: (row: FieldRow | null) => void;
  onMenu: (row: FieldRow, x: number, y: number) => void; // client px
}

function domId(key: string): string {
  return `field-${key}`;
}

/** The layers and fields of a packet as an ARIA tree. */
export function FieldTree({ rows, active, hop, treeRef, ...on }: Props) {
  const { t } = useTranslation();
  const at = Math.max(
    0,
    rows.findIndex((row) => row.key === active),
  );
  const current = rows[at];
  useEffect(() => {
    if (active === null) return;
    document.getElementById(domId(active))?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <div
      ref={treeRef}
      role="tree"
      className="field-tree"
      aria-label={t("decode.fields")}
      aria-activedescendant={current ? domId(current.key) : undefined}
      tabIndex={0}
      onMouseLeave={() => on.onHover(null)}
      onFocus={(event) => {
        // A press of the mouse says itself which field; scrolling here would move it away.
        const keyboard = event.currentTarget.matches(":focus-visible");
        if (keyboard && active === null && current) on.onActive(current.key);
      }}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const step = stepFor(event.key, rows, at);
        const menu = isMenuKey(event);
        if (!current || (!step && !menu)) return;
        event.preventDefault();
        event.stopPropagation();
        if (!step) {
          const box = document.getElementById(domId(current.key))?.getBoundingClientRect();
          on.onMenu(current, (box?.left ?? 0) + 60, box?.bottom ?? 0);
          return;
        }
        if (step.open !== undefined) on.onOpen(current.key, step.open);
        if (step.go !== undefined) on.onActive(step.go);
      }}
    >
      {rows.map((row) => (
        <FieldLine key={row.key} row={row} active={row.key === active} hop={hop} {...on} />
      ))}
    </div>
  );
}

interface LineProps extends Pick<Props, "onActive" | "onOpen" | "onHover" | "onMenu" | "hop"> {
  row: FieldRow;
  active: boolean;
}

const FieldLine = memo(function FieldLine({ row, active, hop, ...on }: LineProps) {
  const { t } = useTranslation();
  const label =
    row.level === 1
      ? row.label
      : t(row.label, {
          ns: "fields",
          keySeparator: false,
          nsSeparator: false,
          defaultValue: row.label,
        });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree holds the focus (aria-activedescendant)
    <div
      id={domId(row.key)}
      role="treeitem"
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={active}
      {...(row.expanded === null ? {} : { "aria-expanded": row.expanded })}
      className={`field-line${row.level === 1 ? " layer" : ""}${active ? " on" : ""}`}
      style={{ paddingLeft: 4 + (row.level - 1) * 14 }}
      onMouseEnter={() => on.onHover(row)}
      onClick={() => {
        on.onActive(row.key);
        if (row.expanded !== null) on.onOpen(row.key, !row.expanded);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        on.onActive(row.key);
        on.onMenu(row, event.clientX, event.clientY);
      }}
    >
      <span className="twisty">
        {row.expanded !== null && <Icon name={row.expanded ? "down" : "right"} size={12} />}
      </span>
      <span className="field-label">{label}</span>
      <span className="field-value mono">{row.value}</span>
      {row.was !== null && (
        <span className="changed" title={wasText(row.was, hop, t)}>
          Δ {wasText(row.was, hop, t)}
        </span>
      )}
      {active && row.filter !== null && (
        <button
          type="button"
          className="field-filter"
          tabIndex={-1}
          title={row.filter}
          aria-label={t("decode.filterBy", { filter: row.filter })}
          onClick={(event) => {
            event.stopPropagation();
            on.onMenu(row, event.clientX, event.clientY);
          }}
        >
          <Icon name="filter" size={12} />
        </button>
      )}
      {row.hides && (
        <span className="changed" title={t("decode.hides")}>
          Δ<span className="hidden-text">{t("decode.hides")}</span>
        </span>
      )}
    </div>
  );
});

function wasText(was: string, hop: string, t: TFunction): string {
  return hop === "" ? t("decode.was", { was }) : t("decode.wasAt", { was, hop });
}
