import type { Action } from "./action";
import { drawActions } from "./draw";
import { editActions } from "./edit";
import { runActions } from "./run";
import { serviceActions } from "./services";
import { storyActions } from "./story";
import { terminalActions } from "./terminal";
import { transferActions } from "./transfer";
import { viewActions } from "./view";

/** Every command of the editor, in the order the help shows them. */
export const ACTIONS: readonly Action[] = [
  ...runActions,
  ...drawActions,
  ...storyActions,
  ...editActions,
  ...viewActions,
  ...serviceActions,
  ...terminalActions,
  ...transferActions,
];

const BY_ID = new Map(ACTIONS.map((action) => [action.id, action]));

/** The action of that id. Throws for an unknown one: a mistake in the program. */
export function action(id: string): Action {
  const found = BY_ID.get(id);
  if (!found) throw new Error(`no action ${id}`);
  return found;
}
