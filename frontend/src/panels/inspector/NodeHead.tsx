import { useTranslation } from "react-i18next";
import { useDrawn } from "../../app/editor";
import { indexOf } from "../../doc/graph";
import { Icon } from "../../ui/Icon";
import { useFace } from "../outline/useFace";
import { Warning } from "./Warning";

/** Glyph, name, kind and state of a node. */
export function NodeHead({ id }: { id: string }) {
  const { t } = useTranslation();
  const node = useDrawn((drawing) => drawing.nodes[id]);
  const count = useDrawn((drawing) => indexOf(drawing).interfacesOf.get(id)?.length ?? 0);
  const { state, tone } = useFace({ id, kind: "node" }, t);
  if (!node) return null;
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
