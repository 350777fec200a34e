/** A recording that comes as a file. */

import i18next from "i18next";
import { type Recording, recordings } from "../api/recordings";
import { showToast } from "../app/messages";
import { navigate } from "../app/router";
import type { Api } from "../net/api";
import { told } from "./told";

/** Add a file to one's recordings; undefined when it was refused, and why was told. */
export async function upload(api: Api, file: File): Promise<Recording | undefined> {
  const name = file.name.replace(/\.topoweb$/i, "").slice(0, 120);
  const made = await told(() => recordings(api).upload(file, name));
  if (made) showToast("ok", i18next.t("replay:replay.uploaded", { name: made.name }));
  return made;
}

/** A file was dropped on the page of labs: add it and play it. */
export async function dropped(api: Api, file: File): Promise<void> {
  const made = await upload(api, file);
  if (made) navigate(`/recordings/${made.id}`);
}
