/** The room of recordings: loaded when one is listed, saved or played. */

import styles from "./replay.css?inline";
import { addWords } from "./words";

export { dropped } from "./drop";
export { RecordingsPage } from "./RecordingsPage";
export { ReplayPage } from "./ReplayPage";
export { SaveDialog } from "./SaveDialog";

// A sheet made by script: no style in markup, which the content security policy forbids.
const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
addWords();
