/** The room of interface kinds: loaded when an interface or a switch is first looked at. */

import { addWords } from "./words";

export { KindForm } from "./KindForm";
export { SwitchForm } from "./SwitchForm";

addWords();
