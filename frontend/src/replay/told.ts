/** Calls that a person asked for: a refusal is told by a toast. */

import i18next from "i18next";
import { showToast } from "../app/messages";
import { serverText } from "../app/serverText";
import { ApiError } from "../net/api";

/** The answer; undefined when it was refused. */
export async function told<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { message, hint } = serverText(error.said, i18next.t);
    showToast("bad", message, hint ? [hint] : []);
    return undefined;
  }
}
