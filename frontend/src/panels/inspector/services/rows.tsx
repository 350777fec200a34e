/** Form rows that several kinds of service share. */

import { useTranslation } from "react-i18next";
import { useTopology } from "../../../app/editor";
import { indexOf } from "../../../doc/graph";
import { formatLines, type ListFormat, parseLines } from "../../../doc/serviceText";
import { NumberRow, SelectRow, TextRow } from "../../../ui/fields";
import { isIpv4, isIpv6 } from "../addresses";

interface PortRowProps {
  value: number;
  onCommit: (port: number) => void;
}

/** A TCP or UDP port. */
export function PortRow({ value, onCommit }: PortRowProps) {
  const { t } = useTranslation();
  return (
    <NumberRow
      label={t("services.port")}
      value={value}
      min={1}
      max={65_535}
      message={t("probe.portRange")}
      onCommit={onCommit}
    />
  );
}

interface InterfaceRowProps {
  node: string;
  value: string;
  onChange: (port: string) => void;
}

/** One of the node's interfaces; one that is gone still shows, as nothing. */
export function InterfaceRow({ node, value, onChange }: InterfaceRowProps) {
  const { t } = useTranslation();
  const topology = useTopology();
  const ports = indexOf(topology).interfacesOf.get(node) ?? [];
  const options = ports.map((id) => [id, topology.interfaces[id]?.name ?? id] as const);
  return (
    <SelectRow
      label={t("kind.interface")}
      value={value}
      options={ports.includes(value) ? options : [[value, "–"], ...options]}
      onChange={onChange}
    />
  );
}

interface AddressRowProps {
  label: string;
  value: string | null;
  placeholder?: string; // what an empty field means; none: it must not be empty
  family: 4 | 6;
  onCommit: (address: string | null) => void;
}

/** One address without a length. */
export function AddressRow({ label, value, placeholder, family, onCommit }: AddressRowProps) {
  const { t } = useTranslation();
  const isAddress = family === 4 ? isIpv4 : isIpv6;
  const fits = (text: string) => isAddress(text) || (text === "" && placeholder !== undefined);
  return (
    <TextRow
      label={label}
      value={value ?? ""}
      {...(placeholder === undefined ? {} : { placeholder })}
      validate={(text) => (fits(text) ? null : t(`services.address${family}`))}
      onCommit={(text) => onCommit(text === "" ? null : text)}
      mono
    />
  );
}

interface LinesRowProps<V> {
  label: string;
  format: ListFormat<V>;
  values: readonly V[];
  example: string;
  onCommit: (values: V[]) => void;
}

/** A list, one entry a line. */
export function LinesRow<V>({ label, format, values, example, onCommit }: LinesRowProps<V>) {
  const { t } = useTranslation();
  return (
    <TextRow
      label={label}
      value={formatLines(format, values)}
      placeholder={example}
      validate={(text) => {
        const parsed = parseLines(format, text);
        return "wrong" in parsed ? t("services.line", { line: parsed.wrong, example }) : null;
      }}
      onCommit={(text) => {
        const parsed = parseLines(format, text);
        if ("values" in parsed) onCommit(parsed.values);
      }}
      mono
      multiline
      rows={Math.min(6, Math.max(2, values.length + 1))}
    />
  );
}
