/** For tests: panels of an editor on a lab in memory. */

import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { ACTIONS } from "../actions/registry";
import { listen } from "../actions/shortcuts";
import type { Topology } from "../doc/model";
import { initI18n } from "../i18n/index";
import { mockLab } from "../net/mockServer";
import { Editor, EditorContext } from "./editor";

/** Render panels; shortcuts are listened to. Call `close` at the end. */
export function renderEditor(
  panels: ReactNode,
  topology: Topology,
  options: Parameters<typeof mockLab>[1] = {},
) {
  const i18n = initI18n();
  const lab = mockLab(topology, options);
  const editor = new Editor(lab.session, i18n.t);
  const stop = listen(editor, ACTIONS);
  const view = render(<EditorContext value={editor}>{panels}</EditorContext>);
  const close = () => {
    view.unmount();
    stop();
    lab.session.destroy();
  };
  return { editor, lab, user: userEvent.setup(), close };
}
