/** Which rows the list shows, and what of it a capture download can also filter by. */

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
}

export const NO_SPAN: Span = { from: null, to: null };
export const NO_FILTER: DockFilter = {
  node: null,
  protocols: new Set(),
  text: "",
  span: NO_SPAN,
};

export function isOpen(span: Span): boolean {
  return span.from === null && span.to === null;
}

export function isFiltered(filter: DockFilter): boolean {
  const { node, protocols, text, span } = filter;
  return node !== null || protocols.size > 0 || text.trim() !== "" || !isOpen(span);
}

/** The rows that a filter lets through, oldest first. */
export function rowsOf(store: PacketStore, filter: DockFilter): readonly PacketRow[] {
  if (!isFiltered(filter)) return [...store.all()];
  const wanted: PacketFilter = { protocols: filter.protocols, text: filter.text };
  if (filter.node !== null) wanted.nodes = new Set([filter.node]);
  const { from, to } = filter.span;
  return store
    .filter(wanted)
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
export function captureFilter(filter: DockFilter): { nodes?: string[]; protocols?: string[] } {
  return {
    ...(filter.node === null ? {} : { nodes: [filter.node] }),
    ...(filter.protocols.size === 0 ? {} : { protocols: [...filter.protocols] }),
  };
}
