/** The room of display filters: loaded with the list of packets, after all that one sees first. */

import styles from "./filter.css?inline";
import { addWords } from "./words";

export { FilterBox } from "./FilterBox";
export { FilterMenu } from "./FilterMenu";

// A sheet made by script: no style in markup, which the content security policy forbids.
const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
addWords();
