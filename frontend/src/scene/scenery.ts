import type { SceneCallout, Selection } from "./contract";
import type { Rect } from "./geometry";
import type { LabelPlanner } from "./labels";
import type { SceneModel } from "./model";
import type { Surface } from "./pen";
import type { Theme } from "./theme";

/** Below `names`, nodes are tiles; below `full`, cables carry no text. */
export const DETAIL = { names: 0.3, full: 0.45 } as const;

/** Everything that a draw pass needs to know. All in world px. */
export interface Scenery {
  surface: Surface;
  model: SceneModel;
  planner: LabelPlanner;
  theme: Theme;
  words: Record<string, string>;
  selection: Selection;
  callouts: readonly SceneCallout[];
  zoom: number;
  view: Rect; // what is in sight
}

/** A word of the interface's language, or the key itself. */
export function word(scenery: Scenery, key: string): string {
  return scenery.words[key] ?? key;
}
