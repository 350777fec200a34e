/** Captured packets: kept in a ring for the list, handed on at once to the canvas. */

import type { PacketEnd } from "../api/traces";
import { indexOf } from "../doc/graph";
import type { Topology } from "../doc/model";
import { type LinkEnds, type PacketRow, PacketStore, type PacketsPayload } from "../packets/index";

export type RowsListener = (rows: readonly PacketRow[]) => void;

export type EndsListener = (ends: readonly PacketEnd[]) => void;

export class PacketsFeed {
  readonly store: PacketStore;
  private listeners = new Set<RowsListener>();
  private endListeners = new Set<EndsListener>();
  private held: PacketsPayload[] = [];
  private stopped = false;
  private awaited = false; // what still comes of the stream before is not this one's

  /** `capacity`: rows that are kept; left out: as many as a live list needs. */
  constructor(
    private readonly topology: () => Topology,
    capacity?: number,
  ) {
    this.store = new PacketStore((link) => this.endsOf(link), capacity);
  }

  /** The nodes at a cable's ends. */
  endsOf = (id: string): LinkEnds | undefined => {
    const topology = this.topology();
    const link = topology.links[id];
    const a = link && topology.interfaces[link.a]?.node;
    const b = link && topology.interfaces[link.b]?.node;
    return a === undefined || b === undefined ? undefined : { a, b };
  };

  get paused(): boolean {
    return this.stopped;
  }

  /** Paused: rows wait (the newest 5,000) and come when it goes on. */
  setPaused(paused: boolean): void {
    this.stopped = paused;
    if (paused) return;
    const waiting = this.held;
    this.held = [];
    for (const payload of waiting) this.take(payload, false);
  }

  receive(payload: PacketsPayload): void {
    if (this.awaited && payload.kept !== true) return;
    this.awaited = false;
    if (this.stopped) {
      this.held.push(payload);
      this.trim();
    } else {
      this.take(payload, payload.kept !== true);
    }
  }

  /** New rows as they come, in kernel order; not those that waited for a pause to end. */
  onRows(listener: RowsListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Packets that ended, as they end; not those that waited for a pause to end. */
  onEnds(listener: EndsListener): () => void {
    this.endListeners.add(listener);
    return () => this.endListeners.delete(listener);
  }

  /** Tell of packets that are in the list already as if they came now. */
  show(rows: readonly PacketRow[], ends: readonly PacketEnd[]): void {
    if (rows.length > 0) for (const listener of [...this.listeners]) listener(rows);
    if (ends.length > 0) for (const listener of [...this.endListeners]) listener(ends);
  }

  /** Cables of a node: what a filter by node means. */
  linksOf(node: string): string[] {
    const index = indexOf(this.topology());
    return (index.interfacesOf.get(node) ?? []).flatMap((port) => index.linksAt.get(port) ?? []);
  }

  /** Another stream of the same capture begins: no row of the one before stays. */
  anew(): void {
    this.awaited = true;
    this.held = [];
    this.store.clearRows();
  }

  clear(): void {
    this.held = [];
    this.store.clear();
  }

  private take(payload: PacketsPayload, live: boolean): void {
    const rows = this.store.push(payload);
    if (live) this.show(rows, payload.ends ?? []);
  }

  private trim(): void {
    let rows = this.held.reduce((sum, payload) => sum + payload.rows.length, 0);
    while (rows > 5_000) {
      const oldest = this.held.shift();
      const next = this.held[0];
      if (!oldest || !next) return;
      rows -= oldest.rows.length;
      this.held[0] = {
        ...next,
        gap: next.gap + oldest.gap + oldest.rows.length,
        lost: next.lost + oldest.lost,
        ends: [...(oldest.ends ?? []), ...(next.ends ?? [])],
        exchanges: [...(oldest.exchanges ?? []), ...(next.exchanges ?? [])],
      };
    }
  }
}
