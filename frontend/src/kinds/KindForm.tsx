import { useState } from "react";
import { useDrawn, useEditor } from "../app/editor";
import type { TopoInterface, Topology } from "../doc/model";
import { set } from "../doc/ops";
import { Button } from "../ui/Button";
import { NumberRow, Row, SelectRow } from "../ui/fields";
import { BridgePortForm } from "./BridgePortForm";
import {
  addChild,
  CHILD_KINDS,
  type ChildKind,
  childrenOf,
  IPVLAN_FLAGS,
  IPVLAN_MODES,
  MACVLAN_MODES,
  placeOf,
  setOptions,
} from "./childEdits";
import { useWords } from "./words";

const PARENTS = 500; // more are not offered in a menu

/** What an interface is by its kind, and the children that hang on it. */
export function KindForm({ id }: { id: string }) {
  const item = useDrawn(({ interfaces }) => interfaces[id]);
  const node = useDrawn(({ nodes }) => nodes[item?.node ?? ""]);
  if (!item || !node) return null;
  if (item.kind !== "port") return <ChildForm id={id} item={item} />;
  if (node.kind === "uplink") return null;
  if (node.kind === "switch" && item.bridged)
    return <BridgePortForm id={id} item={item} vlans={node.vlan_filtering} />;
  return <Children id={id} item={item} />;
}

interface FormProps {
  id: string;
  item: TopoInterface;
}

function ChildForm({ id, item }: FormProps) {
  const { t } = useWords();
  const editor = useEditor();
  const parents = useDrawn((drawing) => parentsFor(drawing, item.parent));
  return (
    <>
      <SelectRow
        label={t("kinds.kind")}
        value={item.kind}
        options={CHILD_KINDS.map((kind) => [kind, t(`kinds.${kind}`)])}
        onChange={(kind) =>
          editor.submit(set("interfaces", id, { kind: kind as ChildKind, options: {} }))
        }
      />
      <SelectRow
        label={t("kinds.parent")}
        value={item.parent ?? ""}
        options={parents.split("\n").map((line) => {
          const [key = "", name = ""] = line.split("\t");
          return [key, name];
        })}
        onChange={(parent) => editor.submit(set("interfaces", id, { parent }))}
      />
      <Options id={id} item={item} />
    </>
  );
}

function Options({ id, item }: FormProps) {
  const { t } = useWords();
  const editor = useEditor();
  const change = (patch: TopoInterface["options"]) =>
    editor.submit(setOptions(editor.topology, id, { ...item.options, ...patch }));
  const same = (words: readonly string[]) => words.map((word) => [word, word] as const);
  if (item.kind === "vlan") {
    return (
      <NumberRow
        label={t("kinds.vlanId")}
        value={item.options.id ?? 1}
        min={1}
        max={4094}
        message={t("kinds.vlanRange")}
        onCommit={(vlan) => change({ id: vlan })}
      />
    );
  }
  const modes = item.kind === "macvlan" ? MACVLAN_MODES : IPVLAN_MODES;
  return (
    <>
      <SelectRow
        label={t("kinds.mode")}
        value={item.options.mode ?? modes[0]}
        options={same(modes)}
        onChange={(mode) => change({ mode })}
      />
      {item.kind === "ipvlan" && (
        <SelectRow
          label={t("kinds.flag")}
          value={item.options.flag ?? IPVLAN_FLAGS[0]}
          options={same(IPVLAN_FLAGS)}
          onChange={(flag) => change({ flag })}
        />
      )}
    </>
  );
}

/** The children of a port, and a form for one more. */
function Children({ id, item }: FormProps) {
  const { t } = useWords();
  const editor = useEditor();
  const [kind, setKind] = useState<ChildKind>("macvlan");
  const [node, setNode] = useState(item.node);
  const present = useDrawn((drawing) =>
    childrenOf(drawing, id)
      .map((child) => placeOf(drawing, child))
      .sort()
      .join(", "),
  );
  const homes = useDrawn(({ nodes }) => nodes);
  const put = () => {
    const child = addChild(editor.topology, id, node, kind);
    editor.submit(child.operation);
    editor.select([node]);
    editor.ui.setState({ inspectorTab: "interfaces", focusedPort: child.id });
  };
  return (
    <fieldset className="kind-children">
      <legend>{t("kinds.addTitle", { name: item.name })}</legend>
      {present && (
        <Row label={t("kinds.children")}>
          <span className="mono">{present}</span>
        </Row>
      )}
      <SelectRow
        label={t("kinds.kind")}
        value={kind}
        options={CHILD_KINDS.map((one) => [one, t(`kinds.${one}`)])}
        onChange={(one) => setKind(one as ChildKind)}
      />
      <SelectRow
        label={t("kinds.inNode")}
        value={homes[node] ? node : item.node}
        options={Object.entries(homes)
          .filter(([, home]) => home.kind !== "uplink")
          .map(([key, home]) => [key, home.name])}
        onChange={setNode}
      />
      <div className="actions">
        <Button label={t("kinds.add")} icon="plus" small onPress={put}>
          {t("kinds.add")}
        </Button>
      </div>
    </fieldset>
  );
}

/** Ids and places of possible parents, a line each: a text is compared by value. */
function parentsFor(topology: Topology, chosen: string | null): string {
  return Object.entries(topology.interfaces)
    .filter(([key, { kind }]) => kind === "port" || key === chosen)
    .slice(0, PARENTS)
    .map(([key]) => `${key}\t${placeOf(topology, key)}`)
    .join("\n");
}
