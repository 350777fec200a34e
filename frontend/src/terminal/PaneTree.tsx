import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { Group, Panel, Separator } from "react-resizable-panels";
import type { Tree } from "./layout";
import { Pane } from "./Pane";

const LEAST = { row: 120, column: 64 }; // px of a pane

/** The panes of a tab, side by side and one below the other. */
export function PaneTree({ tree, headed = false }: { tree: Tree; headed?: boolean }) {
  const { t } = useTranslation();
  if (typeof tree === "string") return <Pane key={tree} id={tree} headed={headed} />;
  const lying = tree.axis === "row";
  return (
    <Group orientation={lying ? "horizontal" : "vertical"}>
      {tree.parts.map((part, at) => {
        const id = typeof part === "string" ? part : part.id;
        return (
          <Fragment key={id}>
            {at > 0 && (
              <Separator
                className={`grip ${lying ? "vertical" : "horizontal"}`}
                aria-label={t("terminal.resize")}
              />
            )}
            <Panel id={id} minSize={LEAST[tree.axis]}>
              <PaneTree tree={part} headed />
            </Panel>
          </Fragment>
        );
      })}
    </Group>
  );
}
