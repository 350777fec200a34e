/** Options of what gives addresses and names away: DHCP, DNS, router advertisements. */

import { useTranslation } from "react-i18next";
import { useTopology } from "../../../app/editor";
import { suggestRange } from "../../../doc/serviceEdits";
import { RECORDS } from "../../../doc/serviceText";
import { Check, NumberRow, Row, TextRow } from "../../../ui/fields";
import type { FormProps } from "./forms";
import { AddressRow, InterfaceRow, LinesRow } from "./rows";

const LEASE = { min: 120, max: 31_536_000 }; // seconds; dnsmasq grants no shorter one

export function DhcpServerForm({ node, options, change }: FormProps<"dhcp-server">) {
  const { t } = useTranslation();
  const topology = useTopology();
  const moveTo = (port: string) => {
    const ranges = topology.interfaces[port]?.addresses.map((one) => suggestRange(topology, one));
    change({ interface: port, ...ranges?.find((range) => range !== null) });
  };
  return (
    <>
      <InterfaceRow node={node} value={options.interface} onChange={moveTo} />
      <AddressRow
        label={t("services.first")}
        value={options.first}
        family={4}
        onCommit={(first) => first !== null && change({ first })}
      />
      <AddressRow
        label={t("services.last")}
        value={options.last}
        family={4}
        onCommit={(last) => last !== null && change({ last })}
      />
      <NumberRow
        label={t("services.lease")}
        value={options.lease}
        {...LEASE}
        message={t("services.leaseRange")}
        onCommit={(lease) => change({ lease })}
      />
      <AddressRow
        label={t("services.gateway")}
        value={options.gateway}
        placeholder={t("services.ownAddress")}
        family={4}
        onCommit={(gateway) => change({ gateway })}
      />
      <AddressRow
        label={t("services.nameServer")}
        value={options.dns}
        placeholder={t("services.ownNameServer")}
        family={4}
        onCommit={(dns) => change({ dns })}
      />
    </>
  );
}

const DOMAIN =
  /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

export function DnsForm({ options, change }: FormProps<"dns">) {
  const { t } = useTranslation();
  return (
    <>
      <TextRow
        label={t("services.domain")}
        value={options.domain}
        validate={(text) => (DOMAIN.test(text) ? null : t("services.domainRule"))}
        onCommit={(domain) => change({ domain })}
        mono
      />
      <Row label={t("services.answers")}>
        <Check
          label={t("services.nodeNames")}
          checked={options.hosts}
          onChange={(hosts) => change({ hosts })}
        />
        <Check
          label={t("services.forward")}
          checked={options.forward}
          onChange={(forward) => change({ forward })}
        />
      </Row>
      <LinesRow
        label={t("services.records")}
        format={RECORDS}
        values={options.records}
        example="www 10.0.1.10"
        onCommit={(records) => change({ records })}
      />
    </>
  );
}

export function RouterAdvertisementsForm({
  node,
  options,
  change,
}: FormProps<"router-advertisements">) {
  const { t } = useTranslation();
  return (
    <>
      <InterfaceRow
        node={node}
        value={options.interface}
        onChange={(port) => change({ interface: port })}
      />
      <AddressRow
        label={t("services.nameServer")}
        value={options.dns}
        placeholder={t("services.none")}
        family={6}
        onCommit={(dns) => change({ dns })}
      />
    </>
  );
}
