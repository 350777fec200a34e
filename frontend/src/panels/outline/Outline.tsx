import "./outline.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Editor, useDrawn, useEditor, useUi } from "../../app/editor";
import { showToast } from "../../app/messages";
import { indexOf } from "../../doc/graph";
import { nameProblem } from "../../doc/names";
import { set } from "../../doc/ops";
import { handleKey, type OutlineHands, openRow, pick } from "./keys";
import { OutlineRow } from "./OutlineRow";
import { remembered } from "./remembered";
import { type Row, rowsOf } from "./rows";

const ROW_HEIGHT = 24;
const ALL_SHOWN = 300; // rows; beyond, only those in view are in the page
const MARGIN = 12;

/** The drawing as a tree: the same things as on the canvas, and as able. */
export function Outline() {
  const { t: translate } = useTranslation();
  const t = useMemo(() => remembered(translate), [translate]);
  const editor = useEditor();
  const selection = useUi((state) => state.selection);
  const renaming = useUi((state) => state.renaming);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [activeId, setActiveId] = useState<string | null>(null);
  const trail = useRef<string[]>([]);
  const tree = useRef<HTMLDivElement>(null);
  const rows = useRows(open, closed);
  const active = Math.max(
    0,
    rows.findIndex((row) => row.id === activeId),
  );
  const shown = useWindow(tree, rows.length, active);

  const setExpanded = useCallback((row: Row, expanded: boolean) => {
    const change = row.kind === "group" ? setClosed : setOpen;
    const include = row.kind === "group" ? !expanded : expanded;
    change((before) => {
      const next = new Set(before);
      if (include) next.add(row.id);
      else next.delete(row.id);
      return next;
    });
  }, []);

  // What is chosen on the canvas becomes the active row here.
  useEffect(() => {
    const only = selection.size === 1 ? [...selection][0] : undefined;
    if (only !== undefined) {
      setActiveId((now) => (partOfNode(editor, now, only) ? now : only));
    }
  }, [editor, selection]);

  const hands: OutlineHands = {
    rows,
    active,
    trail: trail.current,
    setExpanded,
    goTo: (index) => setActiveId(rows[index]?.id ?? null),
    go: (id) => {
      const { interfaces, services } = editor.topology;
      const node = interfaces[id]?.node ?? services[id]?.node;
      if (node !== undefined) setOpen((before) => new Set(before).add(node));
      setActiveId(id);
    },
  };

  const onPick = useCallback(
    (row: Row, add: boolean) => {
      setActiveId(row.id);
      pick(row, editor, add);
    },
    [editor],
  );
  const onOpen = useCallback((row: Row) => openRow(row, editor), [editor]);
  const onToggle = useCallback(
    (row: Row) => row.expanded !== null && setExpanded(row, !row.expanded),
    [setExpanded],
  );
  const onRename = useCallback(
    (name: string | null) => {
      rename(editor, name);
      tree.current?.focus();
    },
    [editor],
  );

  return (
    <section className="outline" aria-label={t("outline.title")}>
      <h2 className="section-title">{t("outline.title")}</h2>
      <div
        ref={tree}
        role="tree"
        aria-label={t("outline.title")}
        aria-multiselectable="true"
        aria-activedescendant={rows[active] ? domId(rows[active].id) : undefined}
        tabIndex={0}
        className="outline-tree"
        data-shortcuts
        onScroll={shown.onScroll}
        onKeyDown={(event) => {
          if (event.target !== tree.current || event.defaultPrevented) return;
          if (handleKey(event, editor, hands)) {
            event.preventDefault();
            event.stopPropagation();
          }
        }}
      >
        {rows.length === 0 && <p className="dim outline-empty">{t("outline.empty")}</p>}
        <div role="presentation" style={{ height: shown.before }} />
        {rows.slice(shown.first, shown.last).map((row) => (
          <OutlineRow
            key={row.id}
            row={row}
            domId={domId(row.id)}
            t={t}
            active={row === rows[active]}
            selected={selection.has(row.id)}
            renaming={renaming === row.id}
            onRename={onRename}
            onToggle={onToggle}
            onPick={onPick}
            onOpen={onOpen}
          />
        ))}
        <div role="presentation" style={{ height: shown.after }} />
      </div>
    </section>
  );
}

/** The rows of the tree; only what stands in it and in what order makes them anew. */
function useRows(open: ReadonlySet<string>, closed: ReadonlySet<string>): Row[] {
  const nodes = useDrawn((drawing) => drawing.nodes);
  const groups = useDrawn((drawing) => drawing.groups);
  const notes = useDrawn((drawing) => drawing.notes);
  const interfacesOf = useDrawn((drawing) => indexOf(drawing).interfacesOf);
  const servicesOf = useDrawn((drawing) => indexOf(drawing).servicesOf);
  return useMemo(
    () => rowsOf({ nodes, groups, notes, interfacesOf, servicesOf }, open, closed),
    [nodes, groups, notes, interfacesOf, servicesOf, open, closed],
  );
}

function domId(id: string): string {
  return `outline-${id}`;
}

function partOfNode(editor: Editor, id: string | null, node: string): boolean {
  const { interfaces, services } = editor.topology;
  return id !== null && (interfaces[id] ?? services[id])?.node === node;
}

/** Which rows are in the page; keeps the active one in view. */
function useWindow(tree: React.RefObject<HTMLDivElement | null>, count: number, active: number) {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const all = count <= ALL_SHOWN;
  useEffect(() => {
    const element = tree.current;
    if (!element) return;
    // Asked for while rendering, it would make the browser lay out all that has just changed.
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [tree]);
  useEffect(() => {
    const element = tree.current;
    if (!element) return;
    const y = active * ROW_HEIGHT;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + ROW_HEIGHT > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + ROW_HEIGHT - element.clientHeight;
    }
  }, [tree, active]);
  const first = all ? 0 : Math.max(0, Math.floor(top / ROW_HEIGHT) - MARGIN);
  const last = all ? count : Math.min(count, Math.ceil((top + height) / ROW_HEIGHT) + MARGIN);
  return {
    first,
    last,
    before: `${first * ROW_HEIGHT}px`,
    after: `${(count - last) * ROW_HEIGHT}px`,
    onScroll: () => {
      if (!all && tree.current) setTop(tree.current.scrollTop);
    },
  };
}

/** Give the row under rename its new name; null leaves it. */
function rename(editor: Editor, name: string | null): void {
  const id = editor.ui.getState().renaming;
  editor.ui.setState({ renaming: null });
  if (id === null || name === null) return;
  const { nodes, interfaces, notes, groups } = editor.topology;
  const next = name.trim();
  if (notes[id]) editor.submit(set("notes", id, { text: next }));
  else if (groups[id]) editor.submit(set("groups", id, { name: next }));
  else {
    const port = interfaces[id];
    const peers = port
      ? Object.entries(interfaces).filter(([, one]) => one.node === port.node)
      : Object.entries(nodes);
    const taken = new Set(peers.filter(([other]) => other !== id).map(([, one]) => one.name));
    const reason = nameProblem(next, taken);
    if (reason) showToast("bad", editor.t(reason));
    else editor.submit(set(port ? "interfaces" : "nodes", id, { name: next }));
  }
}
