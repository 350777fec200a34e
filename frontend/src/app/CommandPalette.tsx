import { useId, useMemo, useState } from "react";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { labelKey } from "../actions/action";
import { ACTIONS } from "../actions/registry";
import { serve, serviceCommands } from "../actions/services";
import { formatKeys, perform } from "../actions/shortcuts";
import { whyNoTerminal } from "../actions/terminal";
import { peerOf } from "../doc/graph";
import { rank } from "../ui/fuzzy";
import { Icon, type IconName } from "../ui/Icon";
import { type Editor, useEditor, useTopology } from "./editor";

const SHOWN = 40;

interface Entry {
  key: string;
  text: string;
  kind: string;
  icon: IconName;
  keys?: string;
  why: string | null;
  go: () => void;
}

/** ⌘K: every action, node and interface by a few letters of its name. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const entries = useEntries();
  const found = useMemo(
    () => rank(text, entries, (entry) => entry.text).slice(0, SHOWN),
    [text, entries],
  );
  const index = Math.min(at, found.length - 1);
  const take = (entry: Entry | undefined) => {
    if (!entry || entry.why !== null) return;
    onClose();
    // After the dialog has given the focus back, so that the action may move it.
    setTimeout(entry.go, 0);
  };
  const step = (by: number) => {
    const next = Math.max(0, Math.min(found.length - 1, index + by));
    setAt(next);
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <ModalOverlay className="veil" isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <Modal className="dialog command">
        <Dialog aria-label={t("actions.command")}>
          <input
            className="input"
            role="combobox"
            aria-expanded={found.length > 0}
            aria-controls={`${id}-list`}
            aria-activedescendant={found.length > 0 ? `${id}-${index}` : undefined}
            aria-label={t("topbar.search")}
            placeholder={t("topbar.search")}
            autoFocus
            autoComplete="off"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
              if (by !== undefined) step(by);
              else if (event.key === "Enter") take(found[index]);
              else return;
              event.preventDefault();
            }}
          />
          <div
            id={`${id}-list`}
            role="listbox"
            aria-label={t("topbar.search")}
            className="command-list"
          >
            {found.map((entry, position) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the combobox's
              // biome-ignore lint/a11y/useFocusableInteractive: the combobox keeps the focus
              <div
                key={entry.key}
                id={`${id}-${position}`}
                role="option"
                aria-selected={position === index}
                aria-disabled={entry.why !== null}
                className={`menu-item${position === index ? " active" : ""}`}
                {...(entry.why === null ? {} : { "data-disabled": true })}
                onClick={() => take(entry)}
              >
                <Icon name={entry.icon} />
                <span>
                  {entry.text}
                  {entry.why && <span className="why">{entry.why}</span>}
                </span>
                <span className="kind">{entry.kind}</span>
                {entry.keys && <kbd>{formatKeys(entry.keys)}</kbd>}
              </div>
            ))}
            {found.length === 0 && <p className="dim">{t("app.nothingFound")}</p>}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function useEntries(): Entry[] {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  return useMemo(() => {
    const actions = ACTIONS.filter(({ id }) => id !== "command").map((action): Entry => {
      const reason = action.disabled?.(editor) ?? null;
      return {
        key: action.id,
        text: t(labelKey(action)),
        kind: t(`actionGroup.${action.group}`),
        icon: action.icon ?? "right",
        ...(action.keys?.[0] ? { keys: action.keys[0] } : {}),
        why: reason && t(reason),
        go: () => perform(editor, action),
      };
    });
    const nodes = Object.entries(topology.nodes).map(
      ([id, node]): Entry => ({
        key: id,
        text: node.name,
        kind: t(`kind.${node.kind}`),
        icon: node.kind,
        why: null,
        go: () => show(editor, id, null),
      }),
    );
    const ports = Object.entries(topology.interfaces).map(([id, port]): Entry => {
      const peer = peerOf(topology, id);
      const far = peer ? ` → ${topology.nodes[peer.node]?.name}` : "";
      return {
        key: id,
        text: `${topology.nodes[port.node]?.name}:${port.name} ${port.addresses.join(" ")}${far}`,
        kind: t("kind.interface"),
        icon: "cable",
        why: null,
        go: () => show(editor, port.node, id),
      };
    });
    const services = serviceCommands(editor).map(
      ({ key, kind, node, name, why }): Entry => ({
        key,
        text: t("services.addTo", { name: t(`services.kind.${kind}`), node: name }),
        kind: t("kind.service"),
        icon: "service",
        why: why && t(why),
        go: () => serve(editor, node, kind),
      }),
    );
    const terminals = Object.entries(topology.nodes).flatMap(([id, node]): Entry[] => {
      if (node.kind === "uplink") return [];
      const why = whyNoTerminal(editor, id);
      return [
        {
          key: `terminal ${id}`,
          text: t("terminal.of", { name: node.name }),
          kind: t("actionGroup.terminal"),
          icon: "terminal",
          why: why && t(why),
          go: () => editor.terminals.open(id),
        },
      ];
    });
    return [...actions, ...nodes, ...ports, ...services, ...terminals];
  }, [editor, topology, t]);
}

/** Go to a node, or to one of its interfaces. */
function show(editor: Editor, node: string, port: string | null): void {
  editor.select([node]);
  editor.ui.setState({
    inspectorOpen: true,
    inspectorTab: port === null ? "properties" : "interfaces",
    focusedPort: port,
  });
  editor.scene?.centerOn(node);
  editor.focusInspector();
}
