import { useDrawn, useEditor } from "../app/editor";
import { set } from "../doc/ops";
import { Check, NumberRow, Row } from "../ui/fields";
import { useWords } from "./words";

/** VLANs and spanning tree priority of a switch. */
export function SwitchForm({ id }: { id: string }) {
  const { t } = useWords();
  const editor = useEditor();
  const node = useDrawn(({ nodes }) => nodes[id]);
  if (!node) return null;
  return (
    <>
      <Row label={t("kinds.vlans")}>
        <Check
          label={t("kinds.vlanFiltering")}
          checked={node.vlan_filtering}
          onChange={(vlan_filtering) => editor.submit(set("nodes", id, { vlan_filtering }))}
        />
      </Row>
      <NumberRow
        label={t("kinds.priority")}
        value={node.priority}
        min={0}
        max={65535}
        message={t("kinds.bridgePriorityRange")}
        onCommit={(priority) => editor.submit(set("nodes", id, { priority }))}
      />
    </>
  );
}
