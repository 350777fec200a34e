import { useTranslation } from "react-i18next";
import { useDrawn } from "../app/editor";
import type { NodeKind } from "../doc/model";
import { Icon } from "../ui/Icon";

/** A node's name and kind; what was taken out of the drawing keeps no name. */
export function useNodeFace(node: string): { name: string; kind: NodeKind | null } {
  const { t } = useTranslation();
  const found = useDrawn(({ nodes }) => nodes[node]);
  return found ? found : { name: t("terminal.gone"), kind: null };
}

/** The kind's glyph in the kind's colour. */
export function NodeMark({ node }: { node: string }) {
  const { kind } = useNodeFace(node);
  return <Icon name={kind ?? "terminal"} size={14} className={`term-mark ${kind ?? ""}`} />;
}
