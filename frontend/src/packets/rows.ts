/** One line of the packet list: a packet seen at one cable. */

import type { Exchange, PacketEnd, Unseen } from "../api/traces";

export type Direction = "ab" | "ba";

/** A row as the PACKETS payload carries it (docs/protocol.md). */
export type WireRow = readonly [
  number: number,
  time: number,
  link: string,
  direction: Direction,
  packet: number,
  protocol: string,
  source: string,
  destination: string,
  info: string,
  length: number,
  flags: string,
];

export interface PacketRow {
  number: number; // rises by one per capture
  time: number; // s, the kernel's clock
  link: string;
  direction: Direction;
  packet: number; // the same number: the same packet at another cable
  protocol: string;
  source: string;
  destination: string;
  info: string;
  length: number; // bytes on the wire
  flags: string;
}

export interface PacketsPayload {
  gap: number; // not sent, because this reader was slow
  lost: number; // not captured, by the kernel's own count
  tier: string;
  kept?: boolean; // rows from before this stream began: listed, not played
  rows: readonly WireRow[];
  ends?: readonly PacketEnd[];
  exchanges?: readonly Exchange[];
  unseen?: Unseen;
}

/** The two nodes that a cable joins. */
export interface LinkEnds {
  a: string;
  b: string;
}

export type EndsOf = (link: string) => LinkEnds | undefined;

/** Names the columns of a wire row. */
export function parseRow(row: WireRow): PacketRow {
  const [
    number,
    time,
    link,
    direction,
    packet,
    protocol,
    source,
    destination,
    info,
    length,
    flags,
  ] = row;
  return {
    number,
    time,
    link,
    direction,
    packet,
    protocol,
    source,
    destination,
    info,
    length,
    flags,
  };
}
