import { useTranslation } from "react-i18next";
import { useEditor, useTopology } from "../../app/editor";
import { removeAll } from "../../doc/edits";
import { peerOf } from "../../doc/graph";
import type { TopoInterface, Topology } from "../../doc/model";
import { nameProblem } from "../../doc/names";
import { set } from "../../doc/ops";
import { setDhcp } from "../../doc/serviceEdits";
import { Button } from "../../ui/Button";
import { Check, NumberRow, Row, SelectRow, TextRow } from "../../ui/fields";
import { AddressChips } from "./AddressChips";
import { macProblem } from "./addresses";
import { Learned } from "./DhcpClient";

export function InterfaceForm({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const port = topology.interfaces[id];
  if (!port) return null;
  const isSwitch = topology.nodes[port.node]?.kind === "switch";
  const change = (patch: Partial<TopoInterface>) => editor.submit(set("interfaces", id, patch));
  const taken = new Set(
    Object.entries(topology.interfaces)
      .filter(([key, one]) => key !== id && one.node === port.node)
      .map(([, one]) => one.name),
  );
  const said = (reason: string | null) => reason && t(reason);
  return (
    <div className="port-form">
      <TextRow
        label={t("fields.name")}
        value={port.name}
        validate={(text) => said(nameProblem(text, taken))}
        onCommit={(name) => change({ name })}
        mono
      />
      {takesAddress(topology, port) && (
        <SelectRow
          label="IPv4"
          value={port.dhcp ? "dhcp" : "static"}
          options={[
            ["static", t("services.static")],
            ["dhcp", "DHCP"],
          ]}
          onChange={(mode) => editor.submit(setDhcp(topology, id, mode === "dhcp"))}
        />
      )}
      <Learned port={id} />
      <Row label={t("fields.addresses")}>
        <AddressChips
          label={t("fields.addresses")}
          value={port.addresses}
          onChange={(addresses) => change({ addresses })}
        />
      </Row>
      <TextRow
        label={t("fields.macAddress")}
        value={port.mac ?? ""}
        placeholder={t("fields.automatic")}
        validate={(text) => (text === "" ? null : said(macProblem(text)))}
        onCommit={(text) => change({ mac: text === "" ? null : text.toLowerCase() })}
        mono
      />
      <NumberRow
        label="MTU"
        value={port.mtu}
        min={68}
        max={65535}
        message={t("fields.mtuRange")}
        onCommit={(mtu) => change({ mtu })}
      />
      <Row label={t("fields.state")}>
        <Check label={t("fields.up")} checked={port.up} onChange={(up) => change({ up })} />
        {isSwitch && (
          <Check
            label={t("fields.bridged")}
            checked={port.bridged}
            onChange={(bridged) => change({ bridged })}
          />
        )}
      </Row>
      <Cable port={id} />
      <div className="actions">
        <Button
          label={t("inspector.removeInterface", { name: port.name })}
          icon="trash"
          kind="danger"
          small
          onPress={() => editor.submit(removeAll(topology, [id]))}
        >
          {t("inspector.remove")}
        </Button>
      </div>
    </div>
  );
}

/** A bridge port has no address, and nobody asks for one on an uplink's behalf. */
function takesAddress({ nodes }: Topology, port: TopoInterface): boolean {
  const kind = nodes[port.node]?.kind;
  return kind === "switch" ? !port.bridged : kind !== "uplink";
}

function Cable({ port }: { port: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const peer = peerOf(topology, port);
  if (!peer) {
    return (
      <Row label={t("fields.cable")}>
        <Button
          label={t("actions.connect")}
          icon="cable"
          small
          onPress={() => editor.ui.setState({ connectFrom: port })}
        >
          {t("actions.connect")}
        </Button>
      </Row>
    );
  }
  const far = `${topology.nodes[peer.node]?.name}:${topology.interfaces[peer.port]?.name}`;
  return (
    <Row label={t("fields.cable")}>
      <button type="button" className="link mono" onClick={() => editor.select([peer.link])}>
        ⇄ {far}
      </button>
    </Row>
  );
}
