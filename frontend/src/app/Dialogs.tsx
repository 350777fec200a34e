import { lazy, Suspense } from "react";
import { useEditor, useUi } from "./editor";
import { SaveDialog } from "./recordings";

const load = {
  command: () => import("./CommandPalette"),
  shortcuts: () => import("./ShortcutsDialog"),
  plan: () => import("../panels/plan/PlanDialog"),
  probe: () => import("../panels/canvas/ProbeDialog"),
  tools: () => import("../panels/tools/ToolsDialog"),
};

/** For who has nothing better to do than to load them. */
export const dialogLoads = Object.values(load);

const CommandPalette = lazy(async () => ({ default: (await load.command()).CommandPalette }));
const ShortcutsDialog = lazy(async () => ({ default: (await load.shortcuts()).ShortcutsDialog }));
const PlanDialog = lazy(async () => ({ default: (await load.plan()).PlanDialog }));
const ProbeDialog = lazy(async () => ({ default: (await load.probe()).ProbeDialog }));
const ToolsDialog = lazy(async () => ({ default: (await load.tools()).ToolsDialog }));

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
      {dialog === "recording" && <SaveDialog onClose={close} />}
      {dialog === "tools" && <ToolsDialog onClose={close} />}
      {dialog === "shortcuts" && <ShortcutsDialog onClose={close} />}
    </Suspense>
  );
}
