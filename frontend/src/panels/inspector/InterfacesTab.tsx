import { useTranslation } from "react-i18next";
import { useEditor, useLive, useTopology, useUi } from "../../app/editor";
import { makeInterface } from "../../doc/defaults";
import { indexOf, peerOf } from "../../doc/graph";
import { newId } from "../../doc/ids";
import { formatRate } from "../../doc/live";
import { nextPortName } from "../../doc/names";
import { add } from "../../doc/ops";
import { Button } from "../../ui/Button";
import { faceOf } from "../outline/faces";
import { InterfaceForm } from "./InterfaceForm";

/** A node's interfaces; the chosen one opens for editing. */
export function InterfacesTab({ node }: { node: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const focused = useUi((state) => state.focusedPort);
  const ports = indexOf(topology).interfacesOf.get(node) ?? [];
  const addPort = () => {
    const id = newId("interfaces");
    editor.submit(add("interfaces", id, makeInterface(node, nextPortName(topology, node))));
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
  const topology = useTopology();
  const live = useLive();
  const port = topology.interfaces[id];
  if (!port) return null;
  const row = {
    id,
    kind: "port",
    level: 2,
    parent: null,
    expanded: null,
    position: 1,
    siblings: 1,
  } as const;
  const face = faceOf(row, topology, live, t);
  const peer = peerOf(topology, id);
  const now = peer && live.link(peer.link);
  const rate = now ? formatRate(now.rate_ab + now.rate_ba) : "";
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
