/** What keys do while a recording is shown: a part of the editor's, and those of a player. */

import type { Action } from "../actions/action";
import { action } from "../actions/registry";
import { listen } from "../actions/shortcuts";
import type { Editor } from "../app/editor";
import type { DockModel } from "../panels/dock/dockModel";
import type { Player } from "./player";

const KEPT = ["fit", "zoomIn", "zoomOut", "follow", "leaveStory"];

/** Listen for shortcuts; returns how to stop. */
export function listenReplay(editor: Editor, player: Player, dock: DockModel): () => void {
  const own = (id: string, key: string, scope: "canvas" | "global", act: () => void): Action => ({
    id,
    group: "view",
    keys: [key],
    scope,
    perform: act,
  });
  return listen(editor, [
    ...KEPT.map(action),
    own("replay.toggle", "k", "global", () => player.toggle()),
    own("replay.space", " ", "canvas", () => player.toggle()),
    own("replay.back", ",", "global", () => dock.step(-1)),
    own("replay.on", ".", "global", () => dock.step(1)),
    own("replay.fault", "n", "global", () => player.fault(1)),
    own("replay.faultBefore", "shift+n", "global", () => player.fault(-1)),
  ]);
}
