import { lazy, Suspense } from "react";
import { useEditor, useUi } from "./editor";

const CommandPalette = lazy(() =>
  import("./CommandPalette").then((module) => ({ default: module.CommandPalette })),
);
const ShortcutsDialog = lazy(() =>
  import("./ShortcutsDialog").then((module) => ({ default: module.ShortcutsDialog })),
);
const PlanDialog = lazy(() =>
  import("../panels/plan/PlanDialog").then((module) => ({ default: module.PlanDialog })),
);
const ProbeDialog = lazy(() =>
  import("../panels/canvas/ProbeDialog").then((module) => ({ default: module.ProbeDialog })),
);
const ToolsDialog = lazy(() =>
  import("../panels/tools/ToolsDialog").then((module) => ({ default: module.ToolsDialog })),
);

/** The dialog that is open, if any. Loaded when it is first asked for. */
export function Dialogs() {
  const editor = useEditor();
  const dialog = useUi((state) => state.dialog);
  const command = useUi((state) => state.commandOpen);
  const close = () => editor.ui.setState({ dialog: null });
  return (
    <Suspense>
      {command && <CommandPalette onClose={() => editor.ui.setState({ commandOpen: false })} />}
      {dialog === "plan" && <PlanDialog onClose={close} />}
      {dialog === "probe" && <ProbeDialog onClose={close} />}
      {dialog === "tools" && <ToolsDialog onClose={close} />}
      {dialog === "shortcuts" && <ShortcutsDialog onClose={close} />}
    </Suspense>
  );
}
