import { useTranslation } from "react-i18next";
import { useEditor, useTopology } from "../../app/editor";
import { setDocument } from "../../doc/ops";
import { Check, Row, TextRow } from "../../ui/fields";

/** Nothing is selected: the lab itself. */
export function LabProperties() {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const { nodes, links } = topology;
  return (
    <div className="tab-panel">
      <div className="sec">
        <h2>{t("inspector.lab")}</h2>
        <TextRow
          label={t("fields.name")}
          value={topology.name}
          validate={(text) => (text === "" || text.length > 120 ? t("topbar.nameLength") : null)}
          onCommit={(name) => editor.submit(setDocument({ name }))}
        />
        <TextRow
          label={t("fields.description")}
          value={topology.description}
          onCommit={(description) => editor.submit(setDocument({ description }))}
          multiline
        />
        <Row label={t("fields.addresses")}>
          <Check
            label={t("fields.autoAddress")}
            checked={topology.auto_address}
            onChange={(auto_address) => editor.submit(setDocument({ auto_address }))}
          />
        </Row>
        <p className="dim small">{t("fields.autoAddressHint")}</p>
        <Row label={t("fields.packets")}>
          <Check
            label={t("fields.offloads")}
            checked={topology.offloads}
            onChange={(offloads) => editor.submit(setDocument({ offloads }))}
          />
        </Row>
        <p className="dim small">{t("fields.offloadsHint")}</p>
      </div>
      <div className="sec">
        <p className="dim">
          {t("inspector.labCounts", {
            nodes: Object.keys(nodes).length,
            cables: Object.keys(links).length,
          })}
        </p>
        <p className="dim small">{t("inspector.hint")}</p>
      </div>
    </div>
  );
}
