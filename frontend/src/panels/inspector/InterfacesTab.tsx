import { useTranslation } from "react-i18next";
import { useDrawn, useEditor, useLivePart, useUi } from "../../app/editor";
import { makeInterface } from "../../doc/defaults";
import { indexOf, peerOf } from "../../doc/graph";
import { newId } from "../../doc/ids";
import { formatRate } from "../../doc/live";
import { nextPortName } from "../../doc/names";
import { add } from "../../doc/ops";
import { Button } from "../../ui/Button";
import { useFace } from "../outline/useFace";
import { InterfaceForm } from "./InterfaceForm";

/** A node's interfaces; the chosen one opens for editing. */
export function InterfacesTab({ node }: { node: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const focused = useUi((state) => state.focusedPort);
  const ports = useDrawn((drawing) => indexOf(drawing).interfacesOf.get(node)) ?? [];
  const addPort = () => {
    const id = newId("interfaces");
    editor.submit(add("interfaces", id, makeInterface(node, nextPortName(editor.topology, node))));
    editor.ui.setState({ focusedPort: id });
  };
  return (
    <>
      <ul className="port-list">
        {ports.map((port) => (
          <li key={port}>
            <PortLine
              id={port}
              open={port === focused}
              onToggle={() => editor.ui.setState({ focusedPort: port === focused ? null : port })}
            />
            {port === focused && <InterfaceForm id={port} />}
          </li>
        ))}
        {ports.length === 0 && <li className="dim empty">{t("inspector.noInterfaces")}</li>}
      </ul>
      <div className="sec actions">
        <Button label={t("inspector.addInterface")} icon="plus" small onPress={addPort}>
          {t("inspector.addInterface")}
        </Button>
      </div>
    </>
  );
}

function PortLine({ id, open, onToggle }: { id: string; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  const port = useDrawn((drawing) => drawing.interfaces[id]);
  const link = useDrawn((drawing) => peerOf(drawing, id)?.link ?? "");
  const rate = useLivePart((live) => {
    const now = live.link(link);
    return now ? formatRate(now.rate_ab + now.rate_ba) : "";
  });
  const face = useFace({ id, kind: "port" }, t);
  if (!port) return null;
  return (
    <button
      type="button"
      className={open ? "port-line on" : "port-line"}
      aria-expanded={open}
      onClick={onToggle}
    >
      <span className={`tone ${face.tone}`} aria-hidden="true">
        {face.tone === "ok" ? "●" : face.tone === "warn" ? "▲" : face.tone === "bad" ? "■" : "○"}
      </span>
      <span className="hidden-text">{face.spoken}</span>
      <b aria-hidden="true">{port.name}</b>
      <span className="mono" aria-hidden="true">
        {[...port.addresses, port.dhcp ? "DHCP" : ""].filter(Boolean).join(" ") || face.hint}
      </span>
      <span className="mono dim" aria-hidden="true">
        {rate}
      </span>
    </button>
  );
}
