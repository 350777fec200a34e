/** Tables of a node as they were when a packet passed (docs/protocol.md, "Traces and verdicts"). */

/** What became of a row between that moment and now; "new" ones were not there yet. */
export type Change = "same" | "changed" | "gone" | "new";

export interface TableRow {
  change: Change;
  now: Record<string, unknown> | null; // of a changed row
  changed_at: number | null; // s
  near: boolean; // it changed at about that moment: before or after is not known
  [field: string]: unknown;
}

export type TableName = "interfaces" | "addresses" | "forwarding" | "routes" | "neighbours" | "fdb";

export interface ConntrackRow {
  protocol: string;
  source: string;
  target: string;
  source_port: number | null;
  target_port: number | null;
  state: string;
  reply_source: string;
  reply_target: string;
  reply_source_port: number | null;
  reply_target_port: number | null;
}

export interface HopTables {
  packet: number;
  hop: number;
  node: string;
  interface: string;
  time: number; // s, of the hop
  exact: boolean; // the log of changes reaches back to it
  as_of: number; // s; 0: the node was not watched
  tables: Record<TableName, TableRow[]>;
  conntrack: { as_of: number; rows: ConntrackRow[] };
}
