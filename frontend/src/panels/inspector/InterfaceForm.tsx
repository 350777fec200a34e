import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useDrawn, useEditor } from "../../app/editor";
import { KindForm } from "../../app/kinds";
import { removeAll } from "../../doc/edits";
import { peerOf } from "../../doc/graph";
import type { NodeKind, TopoInterface, Topology } from "../../doc/model";
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
  const port = useDrawn((drawing) => drawing.interfaces[id]);
  const kind = useDrawn(({ nodes }) => nodes[port?.node ?? ""]?.kind);
  if (!port) return null;
  const isSwitch = kind === "switch";
  const change = (patch: Partial<TopoInterface>) => editor.submit(set("interfaces", id, patch));
  const said = (reason: string | null) => reason && t(reason);
  return (
    <div className="port-form">
      <TextRow
        label={t("fields.name")}
        value={port.name}
        validate={(text) => said(nameProblem(text, namesBeside(editor.topology, id)))}
        onCommit={(name) => change({ name })}
        mono
      />
      {takesAddress(kind, port) && (
        <SelectRow
          label="IPv4"
          value={port.dhcp ? "dhcp" : "static"}
          options={[
            ["static", t("services.static")],
            ["dhcp", "DHCP"],
          ]}
          onChange={(mode) => editor.submit(setDhcp(editor.topology, id, mode === "dhcp"))}
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
      {port.kind === "port" && <Cable port={id} />}
      <Suspense>
        <KindForm id={id} />
      </Suspense>
      <div className="actions">
        <Button
          label={t("inspector.removeInterface", { name: port.name })}
          icon="trash"
          kind="danger"
          small
          onPress={() => editor.submit(removeAll(editor.topology, [id]))}
        >
          {t("inspector.remove")}
        </Button>
      </div>
    </div>
  );
}

/** The names of the other interfaces of the same node. */
function namesBeside({ interfaces }: Topology, id: string): Set<string> {
  const node = interfaces[id]?.node;
  const others = Object.entries(interfaces).filter(([key, one]) => key !== id && one.node === node);
  return new Set(others.map(([, one]) => one.name));
}

/** A bridge port has no address, and nobody asks for one on an uplink's behalf. */
function takesAddress(kind: NodeKind | undefined, port: TopoInterface): boolean {
  return kind === "switch" ? !port.bridged : kind !== "uplink";
}

function Cable({ port }: { port: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const link = useDrawn((drawing) => peerOf(drawing, port)?.link);
  const far = useDrawn((drawing) => farEnd(drawing, port));
  if (link === undefined) {
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
  return (
    <Row label={t("fields.cable")}>
      <button type="button" className="link mono" onClick={() => editor.select([link])}>
        ⇄ {far}
      </button>
    </Row>
  );
}

/** "sw1:p3", what an interface is plugged into; empty when it is free. */
function farEnd(topology: Topology, port: string): string {
  const peer = peerOf(topology, port);
  if (!peer) return "";
  return `${topology.nodes[peer.node]?.name}:${topology.interfaces[peer.port]?.name}`;
}
