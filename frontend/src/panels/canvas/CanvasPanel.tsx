import "./canvas.css";
import {
  type DragEvent,
  type KeyboardEvent,
  Suspense,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { placeAt, placeOnLink } from "../../actions/draw";
import { action } from "../../actions/registry";
import { perform } from "../../actions/shortcuts";
import { type Editor, useDrawn, useEditor, useUi } from "../../app/editor";
import { preferences } from "../../app/preferences";
import { StoryLegend } from "../../app/stories";
import { shiftAll } from "../../doc/edits";
import { createScene } from "../../scene/index";
import { DRAG_TYPE, draggedKind } from "../palette/Palette";
import { ConnectPrompt } from "./ConnectPrompt";
import { ContextMenu } from "./ContextMenu";
import { Legend } from "./Legend";
import { type Menu, SceneController } from "./sceneController";
import { ZoomControls } from "./ZoomControls";

const PAN = 60; // px a key press
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const LABELS = ["planned", "down", "off", "blocked", "stale", "storm", "flood"];

export function CanvasPanel() {
  const { t, i18n } = useTranslation();
  const editor = useEditor();
  const host = useRef<HTMLDivElement>(null);
  const [menu, setMenu] = useState<Menu | null>(null);
  const controller = useMemo(() => new SceneController(editor, setMenu), [editor]);
  const story = useUi((state) => state.story !== null);
  const theme = useStore(preferences, (state) => state.theme);

  useEffect(() => {
    if (!host.current) return;
    const element = host.current;
    controller.attach(createScene(element, controller.events));
    editor.focusCanvas = () => element.focus({ preventScroll: true });
    editor.scene?.fit();
    return () => controller.detach();
  }, [controller, editor]);

  useEffect(() => editor.scene?.setTheme(theme), [editor, theme]);

  useEffect(() => {
    const labels = LABELS.map((key) => [key, i18n.t(`canvas.label.${key}`)]);
    editor.scene?.setLabels(Object.fromEntries(labels));
  }, [editor, i18n]);

  useEffect(() => {
    const query = window.matchMedia("(prefers-reduced-motion: reduce)");
    const tell = () => editor.scene?.setReducedMotion(query.matches);
    tell();
    query.addEventListener("change", tell);
    return () => query.removeEventListener("change", tell);
  }, [editor]);

  return (
    <section className="canvas-panel" aria-label={t("canvas.title")}>
      <div
        ref={host}
        className="canvas"
        role="img"
        aria-label={useSummary()}
        // The picture takes keys: the Outline beside it is its text.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        data-canvas
        data-shortcuts
        onKeyDown={(event) => keys(editor, event)}
        onDragOver={(event) => {
          if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
          event.preventDefault();
          const what = draggedKind();
          if (what) editor.scene?.dragOver(what, event.clientX, event.clientY);
        }}
        onDragLeave={() => editor.scene?.dragEnd()}
        onDrop={(event) => drop(editor, event)}
      />
      <EmptyHint />
      {story ? (
        <Suspense>
          <StoryLegend />
        </Suspense>
      ) : (
        <Legend />
      )}
      <ZoomControls />
      <ConnectPrompt />
      {menu && <ContextMenu menu={menu} onClose={() => setMenu(null)} />}
    </section>
  );
}

function useSummary(): string {
  const { t } = useTranslation();
  const nodes = useDrawn((drawing) => drawing.nodes);
  const links = useDrawn((drawing) => drawing.links);
  const count = (kind: string) => Object.values(nodes).filter((node) => node.kind === kind).length;
  return t("canvas.summary", {
    hosts: count("host"),
    routers: count("router"),
    switches: count("switch"),
    cables: Object.keys(links).length,
  });
}

function EmptyHint() {
  const { t } = useTranslation();
  const empty = useDrawn(({ nodes, notes, groups }) =>
    [nodes, notes, groups].every((items) => Object.keys(items).length === 0),
  );
  const placing = useUi(({ tool }) => tool.kind === "place");
  if (!empty || placing) return null;
  return (
    <div className="canvas-hint">
      <h2>{t("canvas.emptyTitle")}</h2>
      <p>{t("canvas.emptyText")}</p>
    </div>
  );
}

function keys(editor: Editor, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const state = editor.ui.getState();
  const arrow = ARROWS[event.key];
  if (event.key === "Escape") {
    if (editor.scene?.cancel()) return;
    if (state.tool.kind !== "select" || state.moveMode) {
      editor.ui.setState({ tool: { kind: "select" }, moveMode: false, connectFrom: null });
    } else if (state.selection.size > 0) {
      editor.select([]);
    } else {
      editor.ui.setState({ story: null });
    }
  } else if (event.key === "Enter" && state.selection.size === 1) {
    editor.ui.setState({ inspectorOpen: true, moveMode: false });
    editor.focusInspector();
  } else if (arrow && !event.shiftKey) {
    const [dx, dy] = arrow;
    if (state.moveMode) editor.submit(shiftAll(editor.topology, state.selection, dx * 10, dy * 10));
    else editor.scene?.panBy(-dx * PAN, -dy * PAN);
  } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
    perform(editor, action("command"));
  } else {
    return;
  }
  event.preventDefault();
}

function drop(editor: Editor, event: DragEvent): void {
  const what = draggedKind();
  if (!what || !editor.scene) return;
  event.preventDefault();
  const link = editor.scene.dragOver(what, event.clientX, event.clientY);
  editor.scene.dragEnd();
  const at = editor.scene.clientToWorld(event.clientX, event.clientY);
  const [x, y] = [Math.round(at.x / 10) * 10, Math.round(at.y / 10) * 10];
  if (link && what !== "note" && what !== "group") placeOnLink(editor, link, what, x, y);
  else placeAt(editor, what, x, y);
  editor.ui.setState({ tool: { kind: "select" } });
  editor.focusCanvas();
}
