/** One definition of a command: toolbar, menus, shortcuts and the command palette share it. */

import type { Editor } from "../app/editor";
import type { IconName } from "../ui/Icon";

export type ActionGroup = "edit" | "draw" | "view" | "run" | "terminal" | "file" | "preferences";

export interface Action {
  id: string;
  group: ActionGroup;
  icon?: IconName;
  /** "mod+z", "shift+1", "h"; the first is shown. "mod" is ⌘ on a Mac, Ctrl elsewhere. */
  keys?: readonly string[];
  /**
   * Where keys work. canvas: on the canvas and the outline only, for keys without modifiers.
   * global, the default: everywhere but in a terminal, whose keys go to its program. terminal: among
   * the terminals only. everywhere: in a terminal too.
   */
  scope?: "canvas" | "global" | "terminal" | "everywhere";
  /** i18n key of the reason why it cannot be done now; null: it can. */
  disabled?: (editor: Editor) => string | null;
  perform: (editor: Editor) => void | Promise<void>;
}

/** The i18n key of an action's name. */
export function labelKey(action: Pick<Action, "id">): string {
  return `actions.${action.id}`;
}
