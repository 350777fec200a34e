import { Suspense } from "react";
import { useTranslation } from "react-i18next";
import { useDrawn, useEditor } from "../../app/editor";
import { SwitchForm } from "../../app/kinds";
import type { TopoNode } from "../../doc/model";
import { nameProblem } from "../../doc/names";
import { set } from "../../doc/ops";
import { ActionButton } from "../../ui/ActionButton";
import { Check, NumberRow, Row, TextRow } from "../../ui/fields";
import { AddressChips } from "./AddressChips";
import { NodeHead } from "./NodeHead";
import { UplinkProperties } from "./UplinkProperties";

export function NodeProperties({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const node = useDrawn(({ nodes }) => nodes[id]);
  if (!node) return null;
  const change = (patch: Partial<TopoNode>) => editor.submit(set("nodes", id, patch));
  const check = (text: string) => {
    const others = Object.entries(editor.topology.nodes).filter(([key]) => key !== id);
    const reason = nameProblem(text, new Set(others.map(([, one]) => one.name)));
    return reason && t(reason);
  };
  return (
    <>
      <div className="sec">
        <NodeHead id={id} />
        <TextRow
          label={t("fields.name")}
          value={node.name}
          validate={check}
          onCommit={(name) => change({ name })}
        />
        {node.kind !== "uplink" && <Kernel node={node} onChange={change} />}
      </div>
      {node.kind === "uplink" && <UplinkProperties />}
      {node.kind === "switch" && (
        <div className="sec">
          <h3>{t("inspector.bridge")}</h3>
          <Row label={t("fields.stp")}>
            <Check
              label={t("fields.stpOn")}
              checked={node.stp}
              onChange={(stp) => change({ stp })}
            />
          </Row>
          <NumberRow
            label={t("fields.ageing")}
            value={node.ageing}
            min={0}
            max={1_000_000}
            message={t("fields.ageingRange")}
            onCommit={(ageing) => change({ ageing })}
          />
          <Row label={t("fields.bridgeAddresses")}>
            <AddressChips
              label={t("fields.bridgeAddresses")}
              value={node.addresses}
              onChange={(addresses) => change({ addresses })}
            />
          </Row>
          <Suspense>
            <SwitchForm id={id} />
          </Suspense>
        </div>
      )}
      <div className="sec actions">
        <ActionButton id="connect" text />
        {node.kind !== "uplink" && <ActionButton id="probeForm" text />}
        {node.kind !== "uplink" && <ActionButton id="terminal.open" text />}
        <ActionButton id="duplicate" />
        <ActionButton id="remove" kind="danger" />
      </div>
    </>
  );
}

interface KernelProps {
  node: TopoNode;
  onChange: (patch: Partial<TopoNode>) => void;
}

/** What the node's own kernel does. */
function Kernel({ node, onChange }: KernelProps) {
  const { t } = useTranslation();
  return (
    <>
      <Row label={t("fields.forwarding")}>
        <Check
          label="IPv4"
          checked={node.forward_ipv4}
          onChange={(forward_ipv4) => onChange({ forward_ipv4 })}
        />
        <Check
          label="IPv6"
          checked={node.forward_ipv6}
          onChange={(forward_ipv6) => onChange({ forward_ipv6 })}
        />
      </Row>
      <Row label={t("fields.loopback")}>
        <Check
          label={t("fields.loUp")}
          checked={node.lo_up}
          onChange={(lo_up) => onChange({ lo_up })}
        />
      </Row>
    </>
  );
}
