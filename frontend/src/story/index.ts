/** The room of packets' stories: loaded when the first packet ends or is followed. */

import styles from "./story.css?inline";
import { addWords } from "./words";

export { painterOf, type StoryPainter } from "./painter";
export { StoryBar } from "./StoryBar";
export { StoryLegend } from "./StoryLegend";
export { StoryList } from "./StoryList";
export { StoryTables } from "./StoryTables";
export { StoryTime } from "./StoryTime";
export { StoryVerdict } from "./StoryVerdict";

// A sheet made by script: no style in markup, which the content security policy forbids.
const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
addWords();
