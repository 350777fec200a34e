import { useTranslation } from "react-i18next";
import { useLive, useTopology } from "../../app/editor";
import { indexOf } from "../../doc/graph";
import { Icon } from "../../ui/Icon";
import { faceOf } from "../outline/faces";
import { Warning } from "./Warning";

/** Glyph, name, kind and state of a node. */
export function NodeHead({ id }: { id: string }) {
  const { t } = useTranslation();
  const topology = useTopology();
  const live = useLive();
  const node = topology.nodes[id];
  if (!node) return null;
  const row = {
    id,
    kind: "node",
    level: 1,
    parent: null,
    expanded: null,
    position: 1,
    siblings: 1,
  } as const;
  const { state, tone } = faceOf(row, topology, live, t);
  const count = indexOf(topology).interfacesOf.get(id)?.length ?? 0;
  return (
    <div className="node-head">
      <span className={`node-badge kind-${node.kind}`}>
        <Icon name={node.kind} size={18} />
      </span>
      <div>
        <h2>{node.name}</h2>
        <p className="dim">
          {t(`kind.${node.kind}`)} ·{" "}
          <span className={`state-word ${tone}`}>
            {tone === "ok" ? "● " : ""}
            {t(state)}
          </span>{" "}
          · {t("inspector.interfaceCount", { count })}
        </p>
        <Warning id={id} />
      </div>
    </div>
  );
}
