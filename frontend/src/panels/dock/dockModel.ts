/** What the dock works on: filter, follow, the picked packet; shared by strip, list and decode. */

import { createStore } from "zustand/vanilla";
import type { Editor } from "../../app/editor";
import type { PacketRow } from "../../packets/index";
import { PacketDetails } from "./details";
import { type DockFilter, NO_FILTER, NO_SPAN, type Span } from "./filter";
import type { Head } from "./timeView";
import { PacketWatch } from "./watch";
import type { Window } from "./zoom";

export interface DockState {
  filter: DockFilter;
  follow: boolean; // the list shows the newest rows as they come
  picked: PacketRow | null;
  window: Window | null; // what the time-line shows; null: the last two minutes, or all of a recording
}

export class DockModel {
  readonly state = createStore<DockState>(() => ({
    filter: NO_FILTER,
    follow: true,
    picked: null,
    window: null,
  }));
  readonly watch: PacketWatch;
  readonly details: PacketDetails;
  /** The rows that the list shows now. */
  shown: readonly PacketRow[] = [];

  /** `head`: the moment of a recording; null: what is seen is live. */
  constructor(
    readonly editor: Editor,
    readonly head: Head | null = null,
  ) {
    this.watch = new PacketWatch(editor.session.packets.store);
    this.details = new PacketDetails(editor.session.api);
  }

  /** Follow the packets and what the canvas picks; returns how to stop. */
  start(): () => void {
    const { session, ui } = this.editor;
    const { store } = session.packets;
    const stops = [
      this.watch.start(),
      store.subscribe(() => {
        if (store.all().length === 0) this.reset();
      }),
      ui.subscribe((state, before) => {
        if (state.pickedPacket !== before.pickedPacket) this.take(state.pickedPacket);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Choose a packet: its row, its bytes, and all its passages on the canvas. */
  pick(row: PacketRow | null): void {
    this.state.setState({ picked: row });
    this.editor.ui.setState({ pickedPacket: row?.number ?? null });
    this.highlight(row);
  }

  /** Choose the row before (-1) or after (1) the chosen one. */
  step(by: number): void {
    const number = this.state.getState().picked?.number;
    const at = this.shown.findIndex((row) => row.number === number);
    const next = at < 0 ? this.shown.length - 1 : at + by;
    const row = this.shown[Math.max(0, Math.min(this.shown.length - 1, next))];
    if (row) this.pick(row);
    this.state.setState({ follow: false });
  }

  filter(change: Partial<DockFilter>): void {
    this.state.setState(({ filter }) => ({ filter: { ...filter, ...change } }));
  }

  /** A display filter: the server sieves, so canvas, list and download follow it. */
  express(expression: string): void {
    if (expression === this.state.getState().filter.expression) return;
    if (this.head) {
      void this.sieve(this.head, expression);
      return;
    }
    const { clock } = this.watch;
    const { first } = clock;
    this.filter({ expression });
    this.editor.session.filterPackets(expression);
    if (first !== null) clock.note(first); // times go on counting from the same packet
  }

  /** Everything again. */
  clearFilter(): void {
    this.express("");
    this.filter(NO_FILTER);
  }

  /** A recording is sieved where it is kept; what it lets through is shown then. */
  private async sieve(head: Head, expression: string): Promise<void> {
    const numbers = await this.editor.session.attempt(() => head.sieve(expression));
    if (numbers !== undefined) this.filter({ expression, numbers });
  }

  brush(span: Span): void {
    this.filter({ span });
  }

  /** The time-line as it was at first. */
  showAll(): void {
    this.state.setState({ window: null });
  }

  /** The last row of the packet that ended at about a moment (s, give or take `near`). */
  endNear(time: number, near: number): PacketRow | null {
    const { store } = this.editor.session.packets;
    const end = store
      .allEnds()
      .filter((one) => Math.abs(one.time - time) <= near)
      .sort((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0];
    return (end && store.byPacket(end.packet).at(-1)) ?? null;
  }

  /** Back to what happens now: nothing paused, no span, the newest row in view. */
  live(): void {
    this.editor.session.setPacketsPaused(false);
    this.filter({ span: NO_SPAN });
    this.state.setState({ follow: true, window: null });
  }

  private take(number: number | null): void {
    const known = this.state.getState().picked;
    if ((known?.number ?? null) === number) return;
    const { store } = this.editor.session.packets;
    const row =
      number === null
        ? null
        : (store.byNumber(number) ?? this.shown.find((one) => one.number === number) ?? null);
    this.state.setState({ picked: row, ...(row ? { follow: false } : {}) });
    this.highlight(row);
  }

  private highlight(row: PacketRow | null): void {
    const hops = row ? this.editor.session.packets.store.byPacket(row.packet) : [];
    const links = new Set(hops.map((hop) => hop.link));
    this.editor.scene?.highlightPacket(row?.packet ?? null, [...links]);
  }

  private reset(): void {
    this.details.clear();
    this.state.setState(({ filter }) => ({
      filter: { ...filter, span: NO_SPAN },
      follow: true,
      window: null,
    }));
    this.pick(null);
  }
}
