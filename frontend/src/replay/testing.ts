/** For tests: a recording of a ping that a router throws away, after a cable went down and came back. */

import type { Playable, RecordingInfo, RecordingPage } from "../api/recordings";
import type { PacketEnd } from "../api/traces";
import type { LiveLink, LivePayload } from "../doc/live";
import type { WireRow } from "../packets/index";
import { TRACE, threeNodes, VERDICT } from "../story/testing";

export const BEGAN = 1_000;

const link = (state: LiveLink["state"]): LiveLink => ({
  state,
  rate_ab: 0,
  rate_ba: 0,
  pps_ab: 0,
  pps_ba: 0,
});

export function live(time: number, change: Partial<LivePayload>): readonly [number, LivePayload] {
  return [time, { rev: 1, full: false, time, nodes: {}, links: {}, ...change }];
}

export const LIVE = [
  live(BEGAN, { full: true, links: { c1: link("up"), c2: link("up") } }),
  live(BEGAN + 2, { links: { c1: link("down") } }),
  live(BEGAN + 4, { links: { c1: link("up"), c2: null } }),
];

export function row(number: number, time: number, cable: string, packet: number): WireRow {
  const info = `echo request seq ${packet}`;
  return [number, time, cable, "ba", packet, "ICMP", "10.20.3.2", "10.20.2.2", info, 98, ""];
}

export const END: PacketEnd = {
  packet: 7,
  time: BEGAN + 5.001,
  node: "net2",
  interface: "veth1",
  link: "c1",
  direction: "ba",
  verdict: VERDICT,
};

const about = { name: "no way back", began: BEGAN, ended: BEGAN + 10, tier: "bpf", faults: 1 };

/** Two parts: the packet comes with the second. */
export const PAGES: RecordingPage[] = [
  {
    ...about,
    version: 1,
    total: 4,
    document: { ...threeNodes() },
    live: LIVE.slice(0, 2),
    packets: [
      [BEGAN + 1, { gap: 0, lost: 0, tier: "bpf", rows: [row(1, BEGAN + 1, "c2", 6)] }],
      [BEGAN + 1.5, { gap: 0, lost: 0, tier: "bpf", rows: [row(2, BEGAN + 1.5, "c1", 6)] }],
    ],
    next: 1,
  },
  {
    ...about,
    version: 1,
    total: 4,
    document: null,
    live: LIVE.slice(2),
    packets: [
      [
        BEGAN + 5.001,
        {
          gap: 0,
          lost: 0,
          tier: "bpf",
          rows: [row(3, BEGAN + 5, "c2", 7), row(4, BEGAN + 5.0005, "c1", 7)],
          ends: [END],
        },
      ],
    ],
    next: null,
  },
];

export const INFO: RecordingInfo = { ...about, packets: 4, size: 2_000 };

/** The recording as a player asks for it. */
export function recorded(): Playable {
  return {
    info: async () => INFO,
    content: async (after) => PAGES[after] ?? (PAGES[0] as RecordingPage),
    packet: async () => ({ row: null, layers: [], hex: "" }),
    trace: async () => ({ ...TRACE, verdict: VERDICT }),
    tables: () => Promise.reject(new Error("none")),
    rows: async () => ({ rows: [3] }),
    file: "/file",
  };
}
