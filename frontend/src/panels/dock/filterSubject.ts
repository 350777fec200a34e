import type { PacketRow } from "../../packets/index";

/** What a menu of filters is about, and where it opens: client px. */
export type FilterSubject = { x: number; y: number; row: PacketRow } & (
  | { kind: "row" }
  | { kind: "field"; value: string; filter: string | null }
);
