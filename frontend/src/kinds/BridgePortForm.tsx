import { useEditor } from "../app/editor";
import type { BridgePort, TopoInterface } from "../doc/model";
import { set } from "../doc/ops";
import { Check, NumberRow, Row, TextRow } from "../ui/fields";
import { parseVlans } from "./vlans";
import { useWords } from "./words";

const FLAGS = ["hairpin", "isolated", "learning", "flood"] as const;

interface Props {
  id: string;
  item: TopoInterface;
  vlans: boolean; // its switch keeps VLANs apart
}

/** What an interface is as a port of its switch's bridge. */
export function BridgePortForm({ id, item, vlans }: Props) {
  const { t } = useWords();
  const editor = useEditor();
  const port = item.bridge_port;
  const change = (patch: Partial<BridgePort>) =>
    editor.submit(set("interfaces", id, { bridge_port: { ...port, ...patch } }));
  const check = (text: string) => (parseVlans(text) ? null : t("kinds.taggedProblem"));
  return (
    <>
      <Row label={t("kinds.bridgePort")}>
        {FLAGS.map((flag) => (
          <Check
            key={flag}
            label={t(`kinds.${flag}`)}
            checked={port[flag]}
            onChange={(on) => change({ [flag]: on })}
          />
        ))}
      </Row>
      <NumberRow
        label={t("kinds.cost")}
        value={port.cost}
        min={1}
        max={65535}
        message={t("kinds.costRange")}
        onCommit={(cost) => change({ cost })}
      />
      <NumberRow
        label={t("kinds.priority")}
        value={port.priority}
        min={0}
        max={63}
        message={t("kinds.portPriorityRange")}
        onCommit={(priority) => change({ priority })}
      />
      {vlans && (
        <>
          <TextRow
            label={t("kinds.untagged")}
            value={port.untagged === null ? "" : String(port.untagged)}
            placeholder={t("kinds.untaggedHint")}
            validate={(text) => ((parseVlans(text)?.length ?? 2) < 2 ? null : t("kinds.vlanRange"))}
            onCommit={(text) => change({ untagged: parseVlans(text)?.[0] ?? null })}
            mono
          />
          <TextRow
            label={t("kinds.tagged")}
            value={port.tagged.join(", ")}
            placeholder={t("kinds.taggedHint")}
            validate={check}
            onCommit={(text) => change({ tagged: parseVlans(text) ?? [] })}
            mono
          />
        </>
      )}
    </>
  );
}
