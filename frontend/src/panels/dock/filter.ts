/** Which rows the list shows, and what of it a capture download can also filter by. */

import type { CaptureFilter } from "../../net/api";
import type { PacketFilter, PacketRow, PacketStore } from "../../packets/index";

/** A span of kernel time, s; null: open on that side. */
export interface Span {
  from: number | null;
  to: number | null;
}

export interface DockFilter {
  node: string | null;
  protocols: ReadonlySet<string>; // none: all
  text: string;
  span: Span;
  expression: string; // a display filter, by which the server sieves what it sends
  packet: number | null; // this packet only
  numbers: ReadonlySet<number> | null; // rows that the expression lets through, of a recording
}

export const NO_SPAN: Span = { from: null, to: null };
export const NO_FILTER: DockFilter = {
  node: null,
  protocols: new Set(),
  text: "",
  span: NO_SPAN,
  expression: "",
  packet: null,
  numbers: null,
};

export function isOpen(span: Span): boolean {
  return span.from === null && span.to === null;
}

export function isFiltered(filter: DockFilter): boolean {
  return isSieved(filter) || filter.expression !== "";
}

/** Whether the page itself leaves rows out. */
function isSieved({ node, protocols, text, span, packet, numbers }: DockFilter): boolean {
  const chosen = node !== null || packet !== null || numbers !== null || protocols.size > 0;
  return chosen || text.trim() !== "" || !isOpen(span);
}

/** The rows that a filter lets through, oldest first. */
export function rowsOf(store: PacketStore, filter: DockFilter): readonly PacketRow[] {
  if (!isSieved(filter)) return [...store.all()];
  const wanted: PacketFilter = { protocols: filter.protocols, text: filter.text };
  if (filter.node !== null) wanted.nodes = new Set([filter.node]);
  const { packet, numbers, span } = filter;
  const { from, to } = span;
  return store
    .filter(wanted)
    .filter((row) => packet === null || row.packet === packet)
    .filter(({ number }) => numbers === null || numbers.has(number))
    .filter(({ time }) => (from === null || time >= from) && (to === null || time < to));
}

export function toggled(protocols: ReadonlySet<string>, protocol: string): ReadonlySet<string> {
  const next = new Set(protocols);
  if (!next.delete(protocol)) next.add(protocol);
  return next;
}

/** How many of `rows` came after `last`; all of them when it is not there any more. */
export function countAfter(rows: readonly PacketRow[], last: PacketRow | undefined): number {
  return last === undefined ? rows.length : rows.length - 1 - rows.lastIndexOf(last);
}

/** The part of the filter that the server's pcapng download knows. */
export function captureFilter(filter: DockFilter): CaptureFilter {
  return {
    ...(filter.expression === "" ? {} : { filter: filter.expression }),
    ...(filter.node === null ? {} : { nodes: [filter.node] }),
    ...(filter.protocols.size === 0 ? {} : { protocols: [...filter.protocols] }),
  };
}
