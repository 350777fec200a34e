/**
 * The newest live state, outside React: the canvas is called at once with what changed, panels
 * are told at most five times a second.
 */

import type { LiveLink, LiveNode, LivePayload, LiveView, LiveWarning } from "../doc/live";

const PANEL_PERIOD = 200; // ms
const STALE_AFTER = 5_000;
const HISTORY = 60; // samples a link

export interface LiveDelta {
  nodes: string[];
  links: string[];
  all: boolean; // everything may have changed (a full snapshot, running or stale flipped)
}

export interface RateSample {
  time: number;
  ab: number; // bit/s
  ba: number;
}

type Clock = () => number;

export class LiveStore implements LiveView {
  running = false;
  stale = false;
  /** Rises with what panels may show; read it in React at ≤ 5 Hz. */
  version = 0;
  /** In the order in which they came; another list when one comes or goes. */
  warnings: readonly LiveWarning[] = [];
  private nodes = new Map<string, LiveNode>();
  private links = new Map<string, LiveLink>();
  private alarms = new Map<string, LiveWarning>();
  private rates = new Map<string, RateSample[]>();
  private heard: number | null = null;
  private sceneListeners = new Set<(delta: LiveDelta) => void>();
  private panelListeners = new Set<() => void>();
  private panelTimer: ReturnType<typeof setTimeout> | null = null;
  private staleTimer: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly now: Clock = () => performance.now()) {}

  node(id: string): LiveNode | undefined {
    return this.nodes.get(id);
  }

  link(id: string): LiveLink | undefined {
    return this.links.get(id);
  }

  warningAt(id: string): LiveWarning | undefined {
    return this.warnings.find(({ link, node }) => link === id || node === id);
  }

  /** The last minute or so of a cable's rates, oldest first. */
  history(link: string): readonly RateSample[] {
    return this.rates.get(link) ?? [];
  }

  /** Differences between drawing and kernel, in all nodes. */
  get driftCount(): number {
    let count = 0;
    for (const node of this.nodes.values()) count += node.drift.length;
    return count;
  }

  nodeIds(): IterableIterator<string> {
    return this.nodes.keys();
  }

  receive(payload: LivePayload): void {
    this.heard = this.now();
    if (payload.full) {
      this.nodes.clear();
      this.links.clear();
      this.alarms.clear();
    }
    for (const [id, node] of Object.entries(payload.nodes)) {
      if (node === null) this.nodes.delete(id);
      else this.nodes.set(id, node);
    }
    for (const [id, link] of Object.entries(payload.links)) {
      if (link === null) {
        this.links.delete(id);
        this.rates.delete(id);
      } else {
        this.links.set(id, link);
        this.sample(id, link, payload.time);
      }
    }
    const alarmed = this.warn(payload.warnings ?? {});
    if (payload.full || payload.warnings) this.warnings = [...this.alarms.values()];
    const wasStale = this.stale;
    this.stale = false;
    this.changed({
      nodes: [...Object.keys(payload.nodes), ...alarmed],
      links: [...Object.keys(payload.links), ...alarmed],
      all: payload.full || wasStale,
    });
  }

  /** The lab is wanted in the kernel, or no longer. */
  setRunning(running: boolean): void {
    if (this.running === running) return;
    this.running = running;
    if (!running) {
      this.nodes.clear();
      this.links.clear();
      this.alarms.clear();
      this.warnings = [];
      this.rates.clear();
      this.heard = null;
      this.stale = false;
    }
    this.changed({ nodes: [], links: [], all: true });
  }

  /** The stream or the socket is away: what is shown may no longer hold. */
  setStale(stale: boolean): void {
    if (this.stale === stale || (stale && !this.running)) return;
    this.stale = stale;
    this.changed({ nodes: [], links: [], all: true });
  }

  /** Watch for silence; returns how to stop. */
  watch(): () => void {
    const check = () => {
      if (this.heard !== null && this.now() - this.heard > STALE_AFTER) this.setStale(true);
    };
    this.staleTimer = setInterval(check, 1_000);
    return () => {
      if (this.staleTimer !== null) clearInterval(this.staleTimer);
      if (this.panelTimer !== null) clearTimeout(this.panelTimer);
      this.panelTimer = null;
    };
  }

  onDelta(listener: (delta: LiveDelta) => void): () => void {
    this.sceneListeners.add(listener);
    return () => this.sceneListeners.delete(listener);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.panelListeners.add(listener);
    return () => this.panelListeners.delete(listener);
  };

  /** Take warnings in; the cables and nodes whose warnings came or went. */
  private warn(warnings: NonNullable<LivePayload["warnings"]>): string[] {
    return Object.entries(warnings).flatMap(([key, warning]) => {
      const about = warning ?? this.alarms.get(key);
      if (warning === null) this.alarms.delete(key);
      else this.alarms.set(key, warning);
      return about?.link ?? about?.node ?? [];
    });
  }

  private sample(id: string, link: LiveLink, time: number): void {
    const samples = this.rates.get(id) ?? [];
    if (samples.at(-1)?.time === time) return;
    const next = [...samples.slice(1 - HISTORY), { time, ab: link.rate_ab, ba: link.rate_ba }];
    this.rates.set(id, next);
  }

  private changed(delta: LiveDelta): void {
    for (const listener of [...this.sceneListeners]) listener(delta);
    if (this.panelTimer !== null) return;
    this.panelTimer = setTimeout(() => {
      this.panelTimer = null;
      this.version += 1;
      for (const listener of [...this.panelListeners]) listener();
    }, PANEL_PERIOD);
  }
}
