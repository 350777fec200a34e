import { useTranslation } from "react-i18next";
import { useEditor, useLive, useTopology } from "../../app/editor";
import { formatRate } from "../../doc/live";
import { set } from "../../doc/ops";
import { ActionButton } from "../../ui/ActionButton";
import { Check, Row } from "../../ui/fields";
import { Icon } from "../../ui/Icon";
import { Sparkline } from "./Sparkline";
import { Warning } from "./Warning";

export function LinkProperties({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const live = useLive();
  const link = topology.links[id];
  if (!link) return null;
  const name = (port: string) => {
    const one = topology.interfaces[port];
    return `${topology.nodes[one?.node ?? ""]?.name}:${one?.name}`;
  };
  const now = live.link(id);
  const state = !live.running ? (link.up ? "draft" : "off") : (now?.state ?? "planned");
  return (
    <div className="tab-panel">
      <div className="sec">
        <div className="node-head">
          <span className="node-badge">
            <Icon name="cable" size={18} />
          </span>
          <div>
            <h2>
              {name(link.a)} ⇄ {name(link.b)}
            </h2>
            <p className="dim">
              {t("kind.cable")} · {t(`state.${state}`)}
            </p>
            <Warning id={id} />
          </div>
        </div>
        {[link.a, link.b].map((port) => (
          <Row key={port} label={t(port === link.a ? "fields.endA" : "fields.endB")}>
            <button
              type="button"
              className="link mono"
              onClick={() => {
                editor.select([topology.interfaces[port]?.node ?? ""]);
                editor.ui.setState({ inspectorTab: "interfaces", focusedPort: port });
              }}
            >
              {name(port)}
            </button>
          </Row>
        ))}
        <Row label={t("fields.state")}>
          <Check
            label={t("fields.cableOn")}
            checked={link.up}
            onChange={(up) => editor.submit(set("links", id, { up }))}
          />
        </Row>
      </div>
      {now && (
        <div className="sec">
          <h3>{t("inspector.traffic")}</h3>
          <Sparkline samples={live.history(id)} label={t("inspector.traffic")} />
          <p className="legend-line">
            <span className="ab">━ → {formatRate(now.rate_ab) || "0 b/s"}</span>
            <span className="ba">┅ ← {formatRate(now.rate_ba) || "0 b/s"}</span>
          </p>
        </div>
      )}
      <div className="sec actions">
        <ActionButton id="remove" kind="danger" text />
      </div>
    </div>
  );
}
