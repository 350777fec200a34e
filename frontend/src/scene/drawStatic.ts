import { drawGroups, drawNotes } from "./drawBoxes";
import { drawCables, drawCableText, visibleCables } from "./drawCables";
import { drawCallouts } from "./drawCallouts";
import { drawNodes, visibleNodes } from "./drawNodes";
import type { Scenery } from "./scenery";

/** The whole still picture, from the ground up, in world px. The canvas and the SVG export share it. */
export function drawStatic(scenery: Scenery): void {
  drawGroups(scenery);
  drawNotes(scenery);
  const cables = visibleCables(scenery);
  drawCables(scenery, cables);
  drawCableText(scenery, cables);
  drawNodes(scenery, visibleNodes(scenery));
  drawCallouts(scenery);
}
