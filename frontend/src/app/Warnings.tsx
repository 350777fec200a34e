import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { type Editor, useEditor, useLivePart } from "./editor";
import { warningText } from "./warningText";

const SHOWN = 3; // banners; the others are marked on the canvas

/** Storms and limits, as long as they last. */
export function Warnings() {
  const { t } = useTranslation();
  const editor = useEditor();
  const warnings = useLivePart((live) => live.warnings);
  return (
    <>
      {warnings.slice(0, SHOWN).map((warning) => {
        const target = warning.link ?? warning.node ?? null;
        return (
          <div key={`${warning.code} ${target}`} className="notice storm" role="alert">
            <Icon name="warning" />
            <span>{warningText(warning, t)}</span>
            {target !== null && (
              <Button label={t("limits.show")} small onPress={() => show(editor, target)}>
                {t("limits.show")}
              </Button>
            )}
          </div>
        );
      })}
    </>
  );
}

/** Select a cable or a node, and bring it into view. */
function show(editor: Editor, id: string): void {
  const { interfaces, links } = editor.topology;
  editor.select([id]);
  editor.scene?.centerOn(links[id] ? (interfaces[links[id].a]?.node ?? id) : id);
}
