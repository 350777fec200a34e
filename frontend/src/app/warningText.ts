import type { TFunction } from "i18next";
import type { LiveWarning } from "../doc/live";

/** A warning in the user's language; one that is not known here, as the server says it. */
export function warningText({ code, message, params }: LiveWarning, t: TFunction): string {
  return t(`limits.warning.${code}`, { ...params, defaultValue: message });
}
