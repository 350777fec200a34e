/** The story that is open: what was foretold, what was seen, which station is looked at. */

import { createStore } from "zustand/vanilla";
import { trace as askFor } from "../actions/story";
import type { DryRun, Trace, TraceMessage, TraceRequest, Verdict } from "../api/traces";
import type { Editor } from "../app/editor";
import { announce } from "../app/messages";
import type { Story } from "../app/uiStore";
import { sentence } from "../doc/sentence";
import { ApiError } from "../net/api";
import { type Reach, type Window, zoomed } from "../panels/dock/zoom";
import { isFault, journeyOf, type Station, stationAt } from "./journey";
import { NOTHING, type Shown, SPEEDS, type StoryState } from "./state";

const WATCHED = 11; // s that an exchange is watched for, and a little
const BEFORE = 1; // s before a packet, in which its way is made ready
const SETTLES = 250; // ms until panels have their sizes
const LEAST = 200; // ns, the shortest window of the time-line
const LASTS = 6; // s that a journey is played for when nobody chose a speed

export class StoryModel {
  readonly state = createStore<StoryState>(() => ({ ...NOTHING, shown: "both" }));
  private frame = 0;
  private stepped = false; // somebody looks at a station; else the end is shown
  private chosen = false; // somebody picked a packet; else the request is shown
  private turn = 0; // rises with each story: what comes late for an older one is dropped

  constructor(readonly editor: Editor) {
    this.open(editor.ui.getState().story);
    editor.ui.subscribe((state, before) => {
      if (state.story !== before.story) this.open(state.story);
    });
    this.state.subscribe(() => editor.scene?.repaint());
    editor.session.packets.store.subscribe(() => this.refresh());
  }

  /** The verdict of the packet that is looked at; null: there is none (yet). */
  get verdict(): Verdict | null {
    const { picked, result } = this.state.getState();
    return picked === null ? result : this.verdictOf(picked);
  }

  /** The dry run with the verdict's remedy in place; null: there is none. */
  get mended(): DryRun | null {
    const { picked, run, mended, traces } = this.state.getState();
    if (picked === null || (mended && run.includes(picked))) return mended;
    return traces.get(picked)?.mended ?? null;
  }

  private verdictOf(picked: number): Verdict | null {
    const { run, result, traces, exchange } = this.state.getState();
    if (result && run.includes(picked)) return result;
    const end = this.editor.session.packets.store.endOf(picked);
    const word = exchange?.packets.includes(picked) ? exchange.verdict : null;
    return end?.verdict ?? traces.get(picked)?.verdict ?? word ?? null;
  }

  /** Whether the dry run is about the packet that is looked at. */
  get ofRun(): boolean {
    const { picked, run, aside, steps } = this.state.getState();
    return steps.length > 0 && (picked === null || run.includes(picked) || aside.includes(picked));
  }

  /** Nodes that asked who has an address (ARP, ND) while the packet was under way. */
  get askers(): ReadonlySet<string> {
    const { aside, traces, exchange } = this.state.getState();
    const { store, endsOf } = this.editor.session.packets;
    const asked = aside.flatMap((packet) => traces.get(packet)?.hops[0]?.node ?? []);
    const began = exchange?.began ?? Number.POSITIVE_INFINITY;
    for (const { kind, packets, ended } of store.allExchanges()) {
      const near = ended > began - BEFORE && ended < began + WATCHED;
      if ((kind !== "arp" && kind !== "nd") || !near) continue;
      const row = store.byPacket(packets[0] ?? -1)[0];
      const ends = row && endsOf(row.link);
      if (row && ends) asked.push(row.direction === "ab" ? ends.a : ends.b);
    }
    return new Set(asked);
  }

  again(request: TraceRequest): void {
    askFor(this.editor, request);
  }

  show(shown: Shown): void {
    this.state.setState({ shown });
  }

  /** Look at a station. */
  go(index: number): void {
    const { stations } = this.state.getState();
    const at = Math.max(0, Math.min(stations.length - 1, index));
    this.pause();
    this.stepped = true;
    const clock = stations[at]?.at ?? 0;
    this.state.setState(({ window }) => ({ at, clock, window: holding(window, clock) }));
  }

  step(by: number): void {
    this.go(this.state.getState().at + by);
  }

  /** Look at the packet before (-1) or after (1) this one in its conversation. */
  another(by: number): void {
    const { exchange, picked } = this.state.getState();
    const at = exchange?.packets.indexOf(picked ?? -1) ?? -1;
    const packet = at < 0 ? undefined : exchange?.packets[at + by];
    if (packet !== undefined) void this.look(packet);
  }

  /** What the time-line can show, ns. */
  get reach(): Reach {
    const span = this.state.getState().stations.at(-1)?.at ?? 0;
    return { from: 0, to: Math.max(LEAST, span * 1.02), least: LEAST };
  }

  /** Show a part of the journey; null: all of it. */
  showWindow(window: Window | null): void {
    const { from, to } = this.reach;
    const all = window === null || window.to - window.from >= to - from;
    this.state.setState({ window: all ? null : window });
  }

  /** The time-line `factor` times as long, around the clock. */
  zoom(factor: number): void {
    const { window, clock } = this.state.getState();
    this.showWindow(zoomed(window ?? this.reach, clock, factor, this.reach));
  }

  setSpeed(speed: number): void {
    this.state.setState({ speed });
  }

  pause(): void {
    cancelAnimationFrame(this.frame);
    if (this.state.getState().playing) this.state.setState({ playing: false });
  }

  /** Let the clock run, from the beginning when it stands at the end. */
  play(): void {
    this.stepped = true;
    const { stations, clock } = this.state.getState();
    const end = stations.at(-1)?.at ?? 0;
    this.state.setState({ playing: true, ...(clock >= end ? { clock: 0, at: 0 } : {}) });
    let last = performance.now();
    const tick = (now: number) => {
      const { speed, clock, playing, stations } = this.state.getState();
      if (!playing) return;
      const next = Math.min(stations.at(-1)?.at ?? 0, clock + (now - last) * 1e6 * speed);
      last = now;
      const over = next >= (stations.at(-1)?.at ?? 0);
      this.state.setState(({ window }) => ({
        clock: next,
        at: stationAt(stations, next),
        playing: !over,
        window: holding(window, next),
      }));
      if (!over) this.frame = requestAnimationFrame(tick);
    };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(tick);
  }

  /** Look at a packet: its trace is asked for when it is not here. */
  async look(packet: number): Promise<void> {
    const { turn } = this;
    this.chosen = true;
    this.stepped = false;
    this.pause();
    if (!this.state.getState().traces.has(packet)) {
      try {
        const trace = await this.editor.session.api.trace(packet);
        if (turn !== this.turn) return;
        this.keep(trace);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (turn !== this.turn) return;
        const failure = error.status === 404 ? "gone" : error.message;
        this.state.setState({ picked: packet, stations: [], phase: "failed", failure });
        return;
      }
    }
    const { traces, phase, picked } = this.state.getState();
    const exchange = traces.get(packet)?.exchange ?? null;
    this.state.setState({
      exchange,
      ...(phase === "failed" || phase === "asking" ? { phase: "over", failure: "" } : {}),
    });
    if (picked === null) this.frameNodes(traces.get(packet)?.hops.map(({ node }) => node) ?? []);
    this.pick(packet);
    await this.findAnswer(packet, turn);
  }

  private open(story: Story | null): void {
    this.turn += 1;
    this.chosen = false;
    this.stepped = false;
    this.pause();
    const { turn } = this;
    const request = story?.kind === "trace" ? story.request : null;
    this.state.setState({ ...NOTHING, request, phase: story ? "asking" : "idle" });
    if (story?.kind === "packet") void this.look(story.packet);
    if (!request) return;
    this.editor.session.trace(request, {
      message: (message) => {
        if (turn === this.turn) this.take(message);
      },
      over: (code) => {
        if (turn !== this.turn) return;
        if (code === "done") this.state.setState({ phase: "over" });
        else this.state.setState({ phase: "failed", failure: code });
      },
    });
  }

  private take(message: TraceMessage): void {
    const { phase, picked } = this.state.getState();
    if (message.type === "dry") {
      this.state.setState({ steps: message.steps, foretold: message.verdict });
      this.frameNodes(message.steps.map(({ node }) => node));
    } else if (phase === "asking" && message.type !== "armed") {
      return; // of the trace before this one
    } else if (message.type === "armed") {
      this.state.setState({ phase: "armed" });
    } else if (message.type === "trace") {
      this.takeTrace(message.trace);
    } else {
      const { exchange, verdict, agree, differs, mended = null } = message;
      this.state.setState({ result: verdict, mended, agree, differs, phase: "over" });
      if (exchange && !this.chosen) this.state.setState({ exchange });
      if (picked !== null) this.pick(picked);
      const { lang } = document.documentElement;
      announce(sentence(verdict.text, lang, this.editor.topology.nodes));
    }
  }

  private takeTrace(trace: Trace): void {
    const { run, aside, picked } = this.state.getState();
    const { packet, exchange } = trace;
    const own = exchange === null || exchange.packets.includes(packet);
    const add = (all: readonly number[]) => (all.includes(packet) ? all : [...all, packet]);
    this.state.setState(own ? { run: add(run) } : { aside: add(aside) });
    if (exchange && !this.chosen) this.state.setState({ exchange });
    this.keep(trace);
    const request = this.state.getState().run[0] ?? packet;
    this.pick(this.chosen && picked !== null ? picked : request);
  }

  /** The newest word on the exchange, which comes with the packets. */
  private refresh(): void {
    const { exchange } = this.state.getState();
    if (!exchange) return;
    const newest = this.editor.session.packets.store.exchange(exchange.id);
    if (newest && newest !== exchange && newest.began === exchange.began) {
      this.state.setState({ exchange: newest });
    }
  }

  private keep(trace: Trace): void {
    this.state.setState(({ traces }) => ({ traces: new Map(traces).set(trace.packet, trace) }));
  }

  /** The journey of a packet and its answer; looked at where somebody stepped to, or at its end. */
  private pick(packet: number): void {
    const { traces, at, picked, window } = this.state.getState();
    const answer = this.answerOf(packet);
    const shown = [packet, ...(answer === null ? [] : [answer])].flatMap(
      (one) => traces.get(one) ?? [],
    );
    const stations = journeyOf(shown, (trace) => this.begun(trace));
    const kept = picked === packet && this.stepped;
    const index = kept ? at : endOf(stations, this.verdictOf(packet));
    const span = stations.at(-1)?.at ?? 0;
    this.state.setState({
      picked: packet,
      stations,
      at: Math.max(0, index),
      clock: stations[index]?.at ?? 0,
      window: picked === packet ? window : null,
      speed: SPEEDS.find((speed) => span / 1e9 / speed <= LASTS) ?? 1,
    });
  }

  /** Bring the way into view; after the canvas has made room for the story's panels. */
  private frameNodes(nodes: readonly string[]): void {
    const { source, target } = this.state.getState().request ?? { source: "", target: "" };
    const shown = new Set(
      [...nodes, source, target].filter((id) => id in this.editor.topology.nodes),
    );
    setTimeout(() => this.editor.scene?.fit([...shown]), SETTLES);
  }

  private async findAnswer(packet: number, turn: number): Promise<void> {
    const answer = this.answerOf(packet);
    if (answer === null || this.state.getState().traces.has(answer)) return;
    const trace = await this.editor.session.api.trace(answer).catch(() => null);
    if (!trace || turn !== this.turn) return;
    this.keep(trace);
    if (this.state.getState().picked === packet) this.pick(packet);
  }

  /** The packet that answers this one: the next of its exchange that goes the other way. */
  private answerOf(packet: number): number | null {
    const { exchange } = this.state.getState();
    const packets = exchange?.packets ?? [];
    const at = packets.indexOf(packet);
    const from = this.asker(packet);
    const next = at < 0 ? undefined : packets[at + 1];
    if (next === undefined || from === null || !exchange) return null;
    const other = this.asker(next);
    return from && other === false ? next : null;
  }

  /** Whether a packet comes from who asked; null when nothing is known of it. */
  private asker(packet: number): boolean | null {
    const { exchange, traces } = this.state.getState();
    const row = this.editor.session.packets.store.byPacket(packet)[0];
    const source = row?.source ?? sourceOf(traces.get(packet));
    return source === null || !exchange ? null : source === exchange.source;
  }

  private begun(trace: Trace): number | null {
    const rows = this.editor.session.packets.store.byPacket(trace.packet);
    const hop = trace.hops.find(({ link }) => link !== "");
    const row = rows.find(({ link }) => link === hop?.link);
    return row && hop ? row.time - hop.time_ns / 1e9 : null;
  }
}

/** The window, moved so that it holds the clock. */
function holding(window: Window | null, clock: number): Window | null {
  if (window === null || (clock >= window.from && clock <= window.to)) return window;
  const half = (window.to - window.from) / 2;
  const from = Math.max(0, clock - half);
  return { from, to: from + 2 * half };
}

/** Where a journey is first looked at: where it went wrong, or its end. */
function endOf(stations: readonly Station[], verdict: Verdict | null): number {
  const fault = stations.findLastIndex((station) => isFault(station, verdict));
  return fault < 0 ? stations.length - 1 : fault;
}

function sourceOf(trace: Trace | undefined): string | null {
  const layers = trace?.hops[0]?.layers ?? [];
  const layer = layers.find(({ protocol }) => ["IPv4", "IPv6", "ARP"].includes(protocol));
  const names = ["source", "sender_ip"];
  return layer?.fields.find(({ name }) => names.includes(name))?.value ?? null;
}

const MODELS = new WeakMap<Editor, StoryModel>();

/** The model of an editor's stories. */
export function storyOf(editor: Editor): StoryModel {
  let model = MODELS.get(editor);
  if (!model) {
    model = new StoryModel(editor);
    MODELS.set(editor, model);
  }
  return model;
}
