/** Recordings: what was kept of a lab, to be played without a kernel (docs/protocol.md). */

import type { LivePayload } from "../doc/live";
import type { Api } from "../net/api";
import type { PacketsPayload } from "../packets/rows";
import type { HopTables } from "./tables";
import type { Trace } from "./traces";
import type { DecodedLayer } from "./types";

/** What is told of a recording to whoever may see it. */
export interface RecordingInfo {
  name: string;
  began: number; // s
  ended: number;
  packets: number;
  faults: number;
  tier: string;
  size: number; // bytes
}

export interface Recording extends RecordingInfo {
  id: number;
  lab: number | null;
  lab_name: string;
  created: number; // s
  imported: boolean;
  shared: { until: number } | null;
}

/** A part of a recording; the first one has the drawing. */
export interface RecordingPage {
  version: number;
  name: string;
  began: number;
  ended: number;
  tier: string;
  faults: number;
  total: number;
  document: Record<string, unknown> | null;
  live: readonly (readonly [number, LivePayload])[];
  packets: readonly (readonly [number, PacketsPayload])[];
  next: number | null; // the next part; null: that was all
}

/** How much of a lab's past can be saved now, and who keeps it going. */
export interface Kept {
  seconds: number;
  packets: number;
  tier: string;
  kept: { until: number; user: string } | null;
}

/** What a player asks for, wherever the recording is. */
export interface Playable {
  info(): Promise<RecordingInfo>;
  content(after: number): Promise<RecordingPage>;
  packet(number: number): Promise<{ row: unknown; layers: DecodedLayer[]; hex: string }>;
  trace(packet: number): Promise<Trace>;
  tables(packet: number, hop: number): Promise<HopTables>;
  /** Numbers of the rows that a display filter lets through. */
  rows(filter: string): Promise<{ rows: number[] }>;
  file: string; // address of the file
}

/** A recording of one's own (`/recordings/7`) or one that is shared (`/shared/<token>`). */
export function playable(api: Api, at: string): Playable {
  return {
    info: () => api.call("GET", at),
    content: (after) => api.call("GET", `${at}/content?after=${after}`),
    packet: (number) => api.call("GET", `${at}/packets/${number}`),
    trace: (packet) => api.call("GET", `${at}/packets/${packet}/trace`),
    tables: (packet, hop) => api.call("GET", `${at}/packets/${packet}/hops/${hop}/tables`),
    rows: (filter) => api.call("GET", `${at}/rows?filter=${encodeURIComponent(filter)}`),
    file: `/api/v1${at}/file`,
  };
}

/** One's own recordings. */
export function recordings(api: Api) {
  return {
    list: (): Promise<Recording[]> => api.call("GET", "/recordings"),
    rename: (id: number, name: string): Promise<Recording> =>
      api.call("PATCH", `/recordings/${id}`, { name }),
    remove: (id: number): Promise<void> => api.call("DELETE", `/recordings/${id}`),
    upload: (file: Blob, name: string): Promise<Recording> =>
      api.call("POST", `/recordings?name=${encodeURIComponent(name)}`, file),
    share: (id: number, days: number): Promise<{ url: string; until: number }> =>
      api.call("POST", `/recordings/${id}/share`, { days }),
    unshare: (id: number): Promise<void> => api.call("DELETE", `/recordings/${id}/share`),
  };
}
