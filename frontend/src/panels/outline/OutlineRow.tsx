import type { TFunction } from "i18next";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { NodeKind } from "../../doc/model";
import { Icon } from "../../ui/Icon";
import type { Row } from "./rows";
import { useFace } from "./useFace";

export interface RowFace {
  name: string;
  glyph: NodeKind | "note" | "group" | "port" | "service";
  state: string; // i18n key, "" for none
  tone: "ok" | "warn" | "bad" | "off" | "pend";
  hint: string; // small text at the right
  spoken: string; // the accessible name
  drift: boolean;
}

interface Props {
  row: Row;
  t: TFunction;
  domId: string;
  active: boolean;
  selected: boolean;
  renaming: boolean;
  onRename: (name: string | null) => void;
  onToggle: (row: Row) => void;
  onPick: (row: Row, add: boolean) => void;
  onOpen: (row: Row) => void;
}

/** Shapes of the state dots: colour never alone. */
const DOTS: Record<RowFace["tone"], string> = {
  ok: "●",
  warn: "▲",
  bad: "■",
  off: "○",
  pend: "◌",
};

/** Rows are made anew when the tree changes, most of them with the same content. */
function sameProps(before: Props, after: Props): boolean {
  return (Object.keys(after) as (keyof Props)[]).every((name) =>
    name === "row" ? sameContent(before.row, after.row) : before[name] === after[name],
  );
}

function sameContent<T extends object>(before: T, after: T): boolean {
  return (Object.keys(after) as (keyof T)[]).every((name) => before[name] === after[name]);
}

export const OutlineRow = memo(function OutlineRow(props: Props) {
  const { row, t, domId, active, selected } = props;
  const face = useFace(row, t);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles all keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree keeps the focus
    <div
      id={domId}
      role="treeitem"
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={selected}
      {...(row.expanded === null ? {} : { "aria-expanded": row.expanded })}
      className={`outline-row ${row.kind}${active ? " active" : ""}${selected ? " on" : ""}`}
      style={{ paddingLeft: `${(row.level - 1) * 15 + 4}px` }}
      onClick={(event) => props.onPick(row, event.shiftKey || event.ctrlKey || event.metaKey)}
      onDoubleClick={() => props.onOpen(row)}
    >
      <span
        className="twisty"
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation();
          props.onToggle(row);
        }}
      >
        {row.expanded !== null && <Icon name={row.expanded ? "down" : "right"} size={12} />}
      </span>
      {face.state !== "" && (
        <span className={`tone ${face.tone}`} aria-hidden="true" title={t(face.state)}>
          {DOTS[face.tone]}
        </span>
      )}
      {(face.glyph === "note" || face.glyph === "group" || face.glyph === "service") && (
        <Icon name={face.glyph} size={13} />
      )}
      {props.renaming ? (
        <RenameField name={face.name} onDone={props.onRename} />
      ) : (
        <>
          <span className="hidden-text">{face.spoken}</span>
          <span className="outline-name" aria-hidden="true">
            {face.name}
          </span>
        </>
      )}
      {face.drift && (
        <span className="drift-mark" aria-hidden="true">
          ≠
        </span>
      )}
      <small className="mono" aria-hidden="true">
        {face.hint}
      </small>
    </div>
  );
}, sameProps);

function RenameField({ name, onDone }: { name: string; onDone: (name: string | null) => void }) {
  const { t } = useTranslation();
  return (
    <input
      className="input rename"
      aria-label={t("outline.rename", { name })}
      defaultValue={name}
      // biome-ignore lint/a11y/noAutofocus: asked for with F2
      autoFocus
      onFocus={(event) => event.target.select()}
      onBlur={(event) => onDone(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") onDone(event.currentTarget.value);
        if (event.key === "Escape") onDone(null);
      }}
    />
  );
}
