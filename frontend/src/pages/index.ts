/** The pages around the editor; the editor's own page does without them. */

export { LabsPage } from "./LabsPage";
export { LoginPage } from "./LoginPage";
export { MissingPage } from "./MissingPage";
