/** An editor on a recording: it can be looked at, and nothing in it can be changed. */

import type { TFunction } from "i18next";
import type { FilterCheck, FilterFields } from "../api/filters";
import type { Playable, RecordingPage } from "../api/recordings";
import type { Lab, LabStatus } from "../api/types";
import { Editor } from "../app/editor";
import { normalizeDocument } from "../doc/defaults";
import { type Api, ApiError, type LabApi } from "../net/api";
import { LabSession } from "../net/session";
import type { Feed } from "../net/socket";
import { Player } from "./player";

/** A recording plays by itself. */
const QUIET: Feed = {
  connect: () => {},
  open: () => {},
  close: () => {},
  hurry: () => {},
  destroy: () => {},
};

const STATUS: LabStatus = {
  phase: "running",
  generation: 1,
  observed_generation: 1,
  message: "",
  steps_done: 0,
  steps_total: 0,
  failures: [],
  since: null,
};

const ANY: FilterCheck = { ok: true, error: null, fields: [], late: false };

/** Whether a filter can be used, as the recording itself says: who is not signed in may ask that. */
async function checked(calls: Playable, expression: string): Promise<FilterCheck> {
  try {
    await calls.rows(expression);
    return ANY;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422) throw error;
    const { message, hint = "", code = "", params = {} } = error.said;
    const place = (name: string) => Number(params[name]) || 0;
    return {
      ...ANY,
      ok: false,
      error: {
        code,
        position: place("position"),
        length: place("length"),
        text: { en: message },
        hint: { en: hint },
        suggestions: [],
      },
    };
  }
}

/** The calls of a lab that a recording can answer; the others are refused before they are made. */
function recordedApi(api: Api, calls: Playable, own: boolean): LabApi {
  const refused = () => Promise.reject(new ApiError(405, "a recording"));
  const none = Object.fromEntries(Object.keys(api.forLab(0)).map((name) => [name, refused]));
  const { packet, trace, tables } = calls;
  const asked = (expression: string) => encodeURIComponent(expression);
  return {
    ...(none as unknown as LabApi),
    packet,
    trace,
    tables,
    checkFilter: (expression) =>
      own
        ? api.call("GET", `/filters/check?expression=${asked(expression)}`)
        : checked(calls, expression),
    filterFields: async () =>
      own ? api.call<FilterFields>("GET", "/filters/fields") : { fields: [], operators: [] },
  };
}

/** `first`: the part that has the drawing; `own`: who looks is signed in. */
export function openRecording(
  { api, calls, own, t }: { api: Api; calls: Playable; own: boolean; t: TFunction },
  first: RecordingPage,
): { editor: Editor; player: Player } {
  const { name, total } = first;
  const lab: Lab = {
    id: 0,
    name,
    seq: 0,
    generation: 1,
    running: true,
    owner: "",
    created: "",
    updated: "",
    status: STATUS,
  };
  const session = new LabSession({
    lab,
    snapshot: { seq: 0, document: normalizeDocument(first.document ?? {}), problems: [] },
    api: recordedApi(api, calls, own),
    features: {},
    recorded: { feed: QUIET, rows: Math.max(5_000, total) },
  });
  const editor = new Editor(session, t);
  const player = new Player(editor, calls, first);
  player.take(first);
  return { editor, player };
}

/** Bring the rest of a recording, part by part; stops when `gone` says so. */
export async function fetchRest(
  calls: Playable,
  player: Player,
  next: number | null,
  gone: () => boolean,
): Promise<void> {
  let after = next;
  while (after !== null && !gone()) {
    const page = await calls.content(after);
    if (gone()) return;
    player.take(page);
    after = page.next;
  }
}
