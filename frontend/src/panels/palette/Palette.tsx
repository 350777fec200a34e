import "./palette.css";
import { useTranslation } from "react-i18next";
import { labelKey } from "../../actions/action";
import { type Placeable, placeNear } from "../../actions/draw";
import { action } from "../../actions/registry";
import { formatKeys, perform } from "../../actions/shortcuts";
import { useEditor, useReason, useUi } from "../../app/editor";
import { Icon } from "../../ui/Icon";

/** The type under which a palette item travels to the canvas. */
export const DRAG_TYPE = "application/x-topoweb-kind";

/** A drag's data cannot be read before the drop, but only one drag is under way at a time. */
let dragged: Placeable | null = null;

export function draggedKind(): Placeable | null {
  return dragged;
}

const NODES: Placeable[] = ["host", "router", "switch", "uplink"];
const MARKS: Placeable[] = ["note", "group"];

export function Palette() {
  const { t } = useTranslation();
  return (
    <section aria-label={t("palette.title")} className="palette">
      <h2 className="section-title">{t("palette.nodes")}</h2>
      <div className="palette-grid">
        {NODES.map((what) => (
          <PlaceItem key={what} what={what} />
        ))}
      </div>
      <h2 className="section-title">{t("palette.draw")}</h2>
      <div className="palette-grid">
        <ToolItem tool="connect" />
        {MARKS.map((what) => (
          <PlaceItem key={what} what={what} />
        ))}
      </div>
      <h2 className="section-title">{t("palette.test")}</h2>
      <div className="palette-grid">
        <ToolItem tool="probe" />
        <ToolItem tool="trace" />
      </div>
    </section>
  );
}

/** Drag it onto the canvas, click it and then the canvas, or press Enter to add it at once. */
function PlaceItem({ what }: { what: Placeable }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const armed = useUi(({ tool }) => tool.kind === "place" && tool.what === what);
  const it = action(`add.${what}`);
  const reason = useReason(it);
  return (
    <button
      type="button"
      className={`palette-item ${what}`}
      aria-pressed={armed}
      aria-disabled={reason !== null}
      title={reason ? t(reason) : `${t(labelKey(it))} (${formatKeys(it.keys?.[0] ?? "")})`}
      draggable={reason === null}
      onDragStart={(event) => {
        dragged = what;
        event.dataTransfer.setData(DRAG_TYPE, what);
        event.dataTransfer.effectAllowed = "copy";
      }}
      onDragEnd={() => {
        dragged = null;
      }}
      onClick={(event) => {
        // A click without a pointer is the keyboard's: there is nothing to aim with.
        if (reason !== null) editor.announce(reason);
        else if (event.detail === 0) placeNear(editor, what);
        else editor.ui.setState({ tool: armed ? { kind: "select" } : { kind: "place", what } });
      }}
    >
      <Icon name={what} size={24} />
      {t(`kind.${what}`)}
    </button>
  );
}

/** A tool that picks two nodes: a cable between them, a ping from one to the other, its story. */
function ToolItem({ tool }: { tool: "connect" | "probe" | "trace" }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const armed = useUi((state) => state.tool.kind === tool);
  const it = action(tool);
  const reason = useReason(it);
  const name = tool === "connect" ? "cable" : tool;
  const hint = reason ? t(reason) : `${t(labelKey(it))} (${formatKeys(it.keys?.[0] ?? "")})`;
  return (
    <button
      type="button"
      className={`palette-item ${name}`}
      aria-pressed={armed}
      aria-disabled={reason !== null}
      title={hint}
      onClick={(event) => {
        const keyboard = event.detail === 0;
        if (armed) editor.ui.setState({ tool: { kind: "select" }, connectFrom: null });
        else if (reason !== null) editor.announce(reason);
        // A pointer picks both ends; without one, the selection or a form says them.
        else if (!keyboard) editor.ui.setState({ tool: { kind: tool } });
        else perform(editor, tool === "probe" ? action("probeForm") : it);
      }}
    >
      <Icon name={name} size={24} />
      {t(`kind.${name}`)}
    </button>
  );
}
