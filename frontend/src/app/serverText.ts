/** What the server says, in the user's language; its English where there is no translation. */

import type { TFunction } from "i18next";
import type { Failure } from "../api/types";
import type { Said } from "../doc/said";

export function serverText(said: Said, t: TFunction): { message: string; hint: string } {
  // Never the English as i18next's default: it would look for placeholders in a program's words.
  const own = (part: string) =>
    said.code ? t(`problem.${said.code}.${part}`, { ...said.params, defaultValue: "" }) : "";
  return { message: own("message") || said.message, hint: own("hint") || (said.hint ?? "") };
}

/** The same as one line. */
export function serverLine(said: Said, t: TFunction): string {
  const { message, hint } = serverText(said, t);
  return [message, hint].filter(Boolean).join(" ");
}

export function failureLine(failure: Failure, t: TFunction): string {
  return [failure.subject && `${failure.subject}:`, serverLine(failure, t)]
    .filter(Boolean)
    .join(" ");
}
