// A grid of which only some rows are in the page, placed by script, is no <table>; it holds the
// focus itself (aria-activedescendant) and takes the keys.
// biome-ignore-all lint/a11y/useSemanticElements: see above
// biome-ignore-all lint/a11y/useFocusableInteractive: see above
// biome-ignore-all lint/a11y/useKeyWithClickEvents: see above

import { memo } from "react";
import { useTranslation } from "react-i18next";
import type { PacketEnd, VerdictKind } from "../../api/traces";
import { useDrawn } from "../../app/editor";
import { sentence } from "../../doc/sentence";
import type { PacketRow } from "../../packets/index";
import { ROW } from "./gridKeys";
import { ProtocolMark } from "./ProtocolMark";
import { formatElapsed } from "./time";

interface Props {
  row: PacketRow;
  index: number; // in the list
  link: string;
  origin: number; // s
  picked: boolean;
  end: PacketEnd | undefined; // on the last row of a packet that ended
  kin: boolean; // the picked packet, seen at another cable
  onPick: (row: PacketRow) => void;
  onMenu: (row: PacketRow, x: number, y: number) => void; // client px
}

export function rowId(number: number): string {
  return `packet-${number}`;
}

/** One line of the packet list. */
export const PacketLine = memo(function PacketLine(props: Props) {
  const { row, index, link, picked, kin, end } = props;
  const { t } = useTranslation();
  const state = picked ? " picked" : kin ? " kin" : "";
  return (
    <div
      id={rowId(row.number)}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={picked}
      className={`packet-row${state}`}
      style={{ top: index * ROW }}
      onClick={() => props.onPick(row)}
      onContextMenu={(event) => {
        event.preventDefault();
        props.onMenu(row, event.clientX, event.clientY);
      }}
    >
      <span role="gridcell">{row.number}</span>
      <span role="gridcell">{formatElapsed(row.time - props.origin, true)}</span>
      <span role="gridcell" title={link}>
        {link}
      </span>
      <span role="gridcell" title={row.source}>
        {row.source}
      </span>
      <span role="gridcell" title={row.destination}>
        {row.destination}
      </span>
      <span role="gridcell">
        <ProtocolMark protocol={row.protocol} />
      </span>
      <span role="gridcell" title={row.info}>
        {end && <EndSign kind={end.verdict.kind} />}
        {kin && <b className="kin-mark">{t("packets.kin")}</b>}
        {row.info}
        {row.flags.includes("cut") && <i className="dim"> {t("packets.cut")}</i>}
        {end && <EndText end={end} />}
      </span>
    </div>
  );
});

const SIGNS: Record<string, string> = { fault: "✕", unknown: "?" };

function EndSign({ kind }: { kind: VerdictKind }) {
  return (
    <b className={`end-mark ${kind}`} aria-hidden="true">
      {SIGNS[kind] ?? "■"}
    </b>
  );
}

/** That the packet came no farther, and why. */
function EndText({ end }: { end: PacketEnd }) {
  const { i18n } = useTranslation();
  const nodes = useDrawn((drawing) => drawing.nodes);
  const text = sentence(end.verdict.text, i18n.language, nodes);
  return (
    <b className={`end-mark ${end.verdict.kind}`} title={text}>
      {" "}
      {text}
    </b>
  );
}
