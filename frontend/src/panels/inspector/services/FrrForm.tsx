/** FRRouting: typed basics of OSPF, BGP and RIP, and FRR's own language for the rest. */

import { useTranslation } from "react-i18next";
import type { Bgp } from "../../../doc/services";
import { NEIGHBOURS, NETWORKS, PREFIXES, parseAsn } from "../../../doc/serviceText";
import { Check, Row, TextRow } from "../../../ui/fields";
import type { FormProps } from "./forms";
import { AddressRow, LinesRow } from "./rows";

const SOURCES = ["connected", "static", "kernel", "ospf", "bgp", "rip"];
const PRIVATE_AS = 65_001; // of the range for private use, RFC 6996

export function FrrForm({ options, change }: FormProps<"frr">) {
  const { t } = useTranslation();
  const spread = (source: string, on: boolean) => {
    const others = options.redistribute.filter((one) => one !== source);
    change({ redistribute: on ? [...others, source] : others });
  };
  return (
    <>
      <AddressRow
        label={t("services.routerId")}
        value={options.router_id}
        placeholder={t("fields.automatic")}
        family={4}
        onCommit={(router_id) => change({ router_id })}
      />
      <LinesRow
        label={t("services.ospf")}
        format={NETWORKS}
        values={options.ospf}
        example="10.0.1.0/24 0.0.0.0"
        onCommit={(ospf) => change({ ospf })}
      />
      <LinesRow
        label={t("services.rip")}
        format={PREFIXES}
        values={options.rip}
        example="10.0.1.0/24"
        onCommit={(rip) => change({ rip })}
      />
      <Row label="BGP">
        <Check
          label={t("services.bgpOn")}
          checked={options.bgp !== null}
          onChange={(on) =>
            change({ bgp: on ? { asn: PRIVATE_AS, neighbours: [], networks: [] } : null })
          }
        />
      </Row>
      {options.bgp && <BgpRows bgp={options.bgp} onChange={(bgp) => change({ bgp })} />}
      <Row label={t("services.redistribute")}>
        <div className="check-grid">
          {SOURCES.map((source) => (
            <Check
              key={source}
              label={source}
              checked={options.redistribute.includes(source)}
              onChange={(on) => spread(source, on)}
            />
          ))}
        </div>
      </Row>
      <TextRow
        label={t("services.config")}
        value={options.config}
        placeholder={"interface eth0\n ip ospf hello-interval 1"}
        onCommit={(config) => change({ config })}
        mono
        multiline
      />
      <p className="dim small">{t("services.configHint")}</p>
    </>
  );
}

function BgpRows({ bgp, onChange }: { bgp: Bgp; onChange: (bgp: Bgp) => void }) {
  const { t } = useTranslation();
  return (
    <>
      <TextRow
        label={t("services.asn")}
        value={String(bgp.asn)}
        validate={(text) => (parseAsn(text) === null ? t("services.asnRange") : null)}
        onCommit={(text) => onChange({ ...bgp, asn: parseAsn(text) ?? bgp.asn })}
        mono
        numeric
      />
      <LinesRow
        label={t("services.neighbours")}
        format={NEIGHBOURS}
        values={bgp.neighbours}
        example="10.0.12.2 65002"
        onCommit={(neighbours) => onChange({ ...bgp, neighbours })}
      />
      <LinesRow
        label={t("services.networks")}
        format={PREFIXES}
        values={bgp.networks}
        example="10.0.1.0/24"
        onCommit={(networks) => onChange({ ...bgp, networks })}
      />
    </>
  );
}
