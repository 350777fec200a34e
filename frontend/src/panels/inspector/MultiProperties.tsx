import { useTranslation } from "react-i18next";
import { useEditor, useTopology } from "../../app/editor";
import type { TopoNode } from "../../doc/model";
import { batch, set } from "../../doc/ops";
import { ActionButton } from "../../ui/ActionButton";
import { Check, Row } from "../../ui/fields";

type Flag = "forward_ipv4" | "forward_ipv6" | "stp" | "lo_up";

/** What several things have in common. */
export function MultiProperties({ ids }: { ids: string[] }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const { nodes, links } = useTopology();
  const chosen = ids.flatMap((id) => (nodes[id] ? [[id, nodes[id]] as const] : []));
  const switches = chosen.filter(([, node]) => node.kind === "switch");
  const cables = ids.flatMap((id) => (links[id] ? [[id, links[id]] as const] : []));

  const flag = (of: (readonly [string, TopoNode])[], key: Flag, label: string) => (
    <Check
      label={label}
      checked={common(of.map(([, node]) => node[key]))}
      onChange={(value) =>
        editor.submit(batch(of.map(([id]) => set("nodes", id, { [key]: value }))))
      }
    />
  );

  return (
    <div className="tab-panel">
      <div className="sec">
        <h2>{t("inspector.selected", { count: ids.length })}</h2>
        {chosen.length > 0 && (
          <>
            <Row label={t("fields.forwarding")}>
              {flag(chosen, "forward_ipv4", "IPv4")}
              {flag(chosen, "forward_ipv6", "IPv6")}
            </Row>
            <Row label={t("fields.loopback")}>{flag(chosen, "lo_up", t("fields.loUp"))}</Row>
          </>
        )}
        {switches.length > 0 && (
          <Row label={t("fields.stp")}>{flag(switches, "stp", t("fields.stpOn"))}</Row>
        )}
        {cables.length > 0 && (
          <Row label={t("kind.cable")}>
            <Check
              label={t("fields.cableOn")}
              checked={common(cables.map(([, link]) => link.up))}
              onChange={(up) =>
                editor.submit(batch(cables.map(([id]) => set("links", id, { up }))))
              }
            />
          </Row>
        )}
      </div>
      <div className="sec actions">
        {chosen.length === 2 && <ActionButton id="connect" text />}
        {chosen.length === 2 && <ActionButton id="probe" text />}
        <ActionButton id="duplicate" />
        <ActionButton id="remove" kind="danger" />
      </div>
    </div>
  );
}

function common(values: boolean[]): boolean | "mixed" {
  if (values.every((value) => value)) return true;
  return values.some((value) => value) ? "mixed" : false;
}
