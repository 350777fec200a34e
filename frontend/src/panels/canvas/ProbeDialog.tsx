import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ProbeKind, ProbeRequest } from "../../api/types";
import { useEditor, useTopology, useUi } from "../../app/editor";
import { indexOf } from "../../doc/graph";
import type { Topology } from "../../doc/model";
import { Button } from "../../ui/Button";
import { SelectRow, TextRow } from "../../ui/fields";
import { Modal } from "../../ui/Modal";
import { addressProblem } from "../inspector/addresses";

type Family = "4" | "6";
const OTHER = "";

/** The first address of a family on a node, without its prefix length. */
function addressOf(topology: Topology, node: string, family: Family): string | null {
  const ports = indexOf(topology).interfacesOf.get(node) ?? [];
  const all = [
    ...(topology.nodes[node]?.addresses ?? []),
    ...ports.flatMap((port) => topology.interfaces[port]?.addresses ?? []),
  ];
  const found = all.find((address) => address.includes(":") === (family === "6"));
  return found?.split("/", 1)[0] ?? null;
}

/** Ping, TCP connect or traceroute from inside a node. */
export function ProbeDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const hosts = Object.entries(topology.nodes)
    .map(([id, node]) => [id, node.name] as const)
    .sort(([, a], [, b]) => a.localeCompare(b, "en", { numeric: true }));
  const given = useUi((state) => state.probeSource);
  const [kind, setKind] = useState<ProbeKind>("ping");
  const [source, setSource] = useState(given ?? hosts[0]?.[0] ?? "");
  const aimed = useUi((state) => state.probeTarget);
  const [target, setTarget] = useState(
    () => aimed ?? hosts.find(([id]) => id !== source)?.[0] ?? OTHER,
  );
  const [address, setAddress] = useState("");
  const [family, setFamily] = useState<Family>("4");
  const [port, setPort] = useState("80");
  const [error, setError] = useState<string | null>(null);

  const send = () => {
    const to = target === OTHER ? address : addressOf(topology, target, family);
    if (to === null) {
      setError(t("probe.noAddress", { name: topology.nodes[target]?.name, family }));
      return;
    }
    const reason = addressProblem(to);
    if (reason) {
      setError(t(reason));
      return;
    }
    // A node by its id lets the server choose the address; IPv6 has to be said.
    const request: ProbeRequest = {
      kind,
      source,
      target: target !== OTHER && family === "4" ? target : to,
      ...(kind === "tcp" ? { port: Number(port) } : {}),
    };
    onClose();
    void editor.session.probe(request);
    editor.focusCanvas();
  };

  return (
    <Modal
      title={t("probe.title")}
      onClose={onClose}
      footer={
        <Button label={t("probe.send")} icon="probe" kind="primary" onPress={send}>
          {t("probe.send")}
        </Button>
      }
    >
      <SelectRow
        label={t("probe.kind")}
        value={kind}
        options={(["ping", "tcp", "traceroute"] as const).map(
          (one) => [one, t(`probe.${one}`)] as const,
        )}
        onChange={(value) => setKind(value as ProbeKind)}
      />
      <SelectRow label={t("probe.source")} value={source} options={hosts} onChange={setSource} />
      <SelectRow
        label={t("probe.target")}
        value={target}
        options={[...hosts.filter(([id]) => id !== source), [OTHER, t("probe.other")] as const]}
        onChange={setTarget}
      />
      {target === OTHER ? (
        <TextRow label={t("fields.address")} value={address} onCommit={setAddress} mono />
      ) : (
        <SelectRow
          label={t("probe.family")}
          value={family}
          options={[
            ["4", "IPv4"],
            ["6", "IPv6"],
          ]}
          onChange={(value) => setFamily(value as Family)}
        />
      )}
      {kind === "tcp" && (
        <TextRow
          label={t("fields.port")}
          value={port}
          validate={(text) =>
            /^\d+$/.test(text) && +text >= 1 && +text <= 65535 ? null : t("probe.portRange")
          }
          onCommit={setPort}
          mono
          numeric
        />
      )}
      {error !== null && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </Modal>
  );
}
