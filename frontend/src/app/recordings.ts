/** Recordings are a room of their own: it is loaded when one is listed, saved or played. */

import { lazy } from "react";

export const loadRecordings = () => import("../replay/index");

export const RecordingsPage = lazy(async () => ({
  default: (await loadRecordings()).RecordingsPage,
}));
export const ReplayPage = lazy(async () => ({ default: (await loadRecordings()).ReplayPage }));
export const SaveDialog = lazy(async () => ({ default: (await loadRecordings()).SaveDialog }));
