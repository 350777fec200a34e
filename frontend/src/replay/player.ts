/**
 * Plays a recording into the stores that a live lab fills: the same list, the same canvas, the same
 * stories. The whole list is there from the beginning; the clock says what moves and what holds.
 */

import { createStore } from "zustand/vanilla";
import type { Playable, RecordingPage } from "../api/recordings";
import type { PacketEnd } from "../api/traces";
import type { Editor } from "../app/editor";
import { loadStories } from "../app/stories";
import type { LivePayload } from "../doc/live";
import type { PacketRow } from "../packets/index";
import type { Head } from "../panels/dock/timeView";
import type { Window } from "../panels/dock/zoom";
import { countUntil, stateAt, type Timed } from "./past";

/** Of the recording's own time. */
export const SPEEDS = [0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 4, 10] as const;
const PICTURES = { slowest: 0.1, fastest: 10 }; // pace of a packet's passage along a cable
const RECENT = 1; // s before the moment, whose ends are marked when one jumps there
const FRAME = 250; // ms at most that a frame moves the clock on: a tab that slept goes on, not ahead

export interface PlayerState {
  playing: boolean;
  speed: number;
  loaded: number; // s of the recording that are here, as a moment
}

export class Player implements Head {
  readonly state;
  readonly reach: Window;
  private moment: number;
  private live: Timed<LivePayload>[] = [];
  private rows: PacketRow[] = [];
  private ends: PacketEnd[] = [];
  private frame = 0;
  private settling = 0;
  private only: ReadonlySet<number> | null = null; // rows that a filter lets through
  private wall = 0; // s that were played, at the pace of the canvas

  constructor(
    private readonly editor: Editor,
    private readonly calls: Pick<Playable, "rows">,
    { began, ended }: { began: number; ended: number },
  ) {
    this.reach = { from: began, to: Math.max(ended, began + 0.001) };
    this.moment = began;
    this.state = createStore<PlayerState>(() => ({ playing: false, speed: 1, loaded: began }));
  }

  /** A part of the recording has come. */
  take(page: RecordingPage): void {
    const { packets } = this.editor.session;
    this.live.push(...page.live);
    const parts = page.packets.map(([, payload]) => payload);
    packets.receive({
      gap: 0,
      lost: 0,
      tier: page.tier,
      kept: true,
      rows: parts.flatMap(({ rows }) => rows),
      ends: parts.flatMap(({ ends }) => ends ?? []),
      exchanges: parts.flatMap(({ exchanges }) => exchanges ?? []),
    });
    this.rows = [...packets.store.all()].sort((a, b) => a.time - b.time);
    this.ends = packets.store.allEnds().sort((a, b) => a.time - b.time);
    const last = page.packets.at(-1)?.[0] ?? page.began;
    this.state.setState({ loaded: page.next === null ? page.ended : last });
    if (!this.state.getState().playing) this.settle();
  }

  time(): number {
    return this.moment;
  }

  /** Jump to a moment; it goes on playing if it did. */
  seek(time: number): void {
    this.moment = Math.max(this.reach.from, Math.min(this.reach.to, time));
    if (this.settling !== 0) return;
    this.settling = requestAnimationFrame(() => {
      this.settling = 0;
      this.settle();
    });
  }

  async sieve(expression: string): Promise<ReadonlySet<number> | null> {
    const { rows } = expression === "" ? { rows: null } : await this.calls.rows(expression);
    this.only = rows && new Set(rows);
    return this.only;
  }

  setSpeed(speed: number): void {
    this.state.setState({ speed });
    const { playout } = this.editor;
    if (playout) playout.speed = Math.max(PICTURES.slowest, Math.min(PICTURES.fastest, speed));
  }

  toggle(): void {
    if (this.state.getState().playing) this.pause();
    else this.play();
  }

  pause(): void {
    cancelAnimationFrame(this.frame);
    this.run(false);
  }

  /** Let the clock run; from the beginning when it stands at the end. */
  play(): void {
    if (this.moment >= this.reach.to) this.moment = this.reach.from;
    cancelAnimationFrame(this.settling);
    this.settling = 0;
    this.settle();
    this.run(true);
    this.setSpeed(this.state.getState().speed);
    let last = performance.now();
    const tick = (now: number) => {
      const passed = Math.min(FRAME, now - last) / 1_000;
      last = now;
      this.advance(passed);
      if (this.moment >= this.reach.to) this.pause();
      else this.frame = requestAnimationFrame(tick);
    };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(tick);
  }

  /** To the next packet that ended where it should not (1), or to the one before (-1). */
  fault(by: 1 | -1): PacketEnd | null {
    const faults = this.faults();
    const end =
      by > 0
        ? faults.find(({ time }) => time > this.moment + 1e-6)
        : faults.findLast(({ time }) => time < this.moment - 1e-6);
    if (end) this.goTo(end);
    return end ?? null;
  }

  /** Look at where a packet ended, at the moment when it did. */
  goTo(end: PacketEnd): void {
    this.pause();
    const row = this.editor.session.packets.store.byPacket(end.packet).at(-1);
    this.editor.ui.setState({ pickedPacket: row?.number ?? null });
    this.seek(end.time);
  }

  /** A packet was picked: while nothing moves, show the moment when it passed, or ended. */
  lookAt(row: PacketRow): void {
    if (this.state.getState().playing) return;
    const { store } = this.editor.session.packets;
    const end = store.endOf(row.packet);
    const last = store.byPacket(row.packet).at(-1)?.number === row.number;
    this.seek(end && last ? end.time : row.time);
  }

  faults(): PacketEnd[] {
    return this.ends.filter(({ verdict }) => verdict.kind === "fault");
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.settling);
  }

  private run(playing: boolean): void {
    this.state.setState({ playing });
    this.editor.session.facts.setState({ packetsPaused: !playing });
  }

  /** Move the clock on, and tell the canvas of what came to pass. `passed`: s. */
  private advance(passed: number): void {
    const { live, packets } = this.editor.session;
    const from = this.moment;
    const { speed, loaded } = this.state.getState();
    this.moment = Math.min(this.reach.to, Math.max(from, Math.min(loaded, from + passed * speed)));
    const between = <T>(all: readonly T[], timeOf: (one: T) => number): T[] =>
      all.slice(countUntil(all, from, timeOf), countUntil(all, this.moment, timeOf));
    for (const [, payload] of between(this.live, ([time]) => time)) live.receive(payload);
    // The canvas is told times that flow as fast as its own clock, whatever the speed.
    const passing = between(this.rows, ({ time }) => time);
    const rows = passing
      .filter(({ number }) => this.only?.has(number) ?? true)
      .map((row) => ({ ...row, time: this.wall + (row.time - from) / speed }));
    this.wall += passed;
    packets.show(
      rows,
      between(this.ends, ({ time }) => time),
    );
  }

  /** Show the moment as it was: the live state, and the marks of what had just ended. */
  private settle(): void {
    const { session, playout, scene } = this.editor;
    const state = stateAt(this.live, this.moment);
    if (state) session.live.receive(state);
    playout?.reset();
    scene?.clearPackets();
    const recent = this.ends.filter(
      ({ time }) => time <= this.moment + 1e-6 && time > this.moment - RECENT,
    );
    void loadStories().then(({ painterOf }) => {
      painterOf(this.editor).forget();
      session.packets.show([], recent);
    });
  }
}
