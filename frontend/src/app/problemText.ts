/** A problem in the user's language; the server's English where there is no translation. */

import type { TFunction } from "i18next";
import type { Problem } from "../doc/store";

export function problemText(problem: Problem, t: TFunction): { message: string; hint: string } {
  const key = `problem.${problem.code}`;
  return {
    message: t(`${key}.message`, { ...problem.params, defaultValue: problem.message }),
    hint: t(`${key}.hint`, { ...problem.params, defaultValue: problem.hint }),
  };
}
