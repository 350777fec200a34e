/** All that one open lab is made of: document, undo, live state, packets, facts, and the socket. */

import { createStore } from "zustand/vanilla";
import type { TraceMessage, TraceRequest } from "../api/traces";
import type {
  Feature,
  Lab,
  LabStatus,
  Probe,
  ProbeRequest,
  Snapshot,
  UplinkGrant,
} from "../api/types";
import type { LivePayload } from "../doc/live";
import type { Topology } from "../doc/model";
import { type Operation, setDocument } from "../doc/ops";
import type { Said } from "../doc/said";
import { DocStore, type Problem, Refused, type Transport } from "../doc/store";
import { UndoStack } from "../doc/undo";
import type { PacketsPayload } from "../packets/index";
import { ApiError, type LabApi } from "./api";
import { LiveStore } from "./live";
import { PacketsFeed } from "./packetsFeed";
import { type Connection, type Fact, type Feed, LabSocket, type StreamName } from "./socket";
import { type TerminalEvents, TerminalSocket } from "./terminalSocket";

const BACKLOG = 500; // packets that a reader who comes late finds in the list

/** A stream or a process is away; gone again when it is back. */
export interface Notice {
  code: string;
  message: string;
  stream?: StreamName;
}

/** What changes seldom enough for React. */
export interface Facts {
  lab: Lab;
  status: LabStatus;
  connection: Connection;
  closedCode: number | null;
  problems: Problem[];
  probes: Probe[]; // own, newest first
  notices: Notice[];
  features: Record<string, Feature>;
  packetsPaused: boolean;
}

export interface SessionEvents {
  /** Something the user asked for was refused or failed. */
  trouble(said: Said, problems: Problem[]): void;
  probe(probe: Probe): void;
  phase(status: LabStatus, before: LabStatus): void;
}

/** Who follows a packet: what is seen of it, and that it is over (`done`, or why not). */
export interface TraceEvents {
  message(message: TraceMessage): void;
  over(code: string): void;
}

export interface SessionParts {
  lab: Lab;
  snapshot: Snapshot;
  api: LabApi;
  features: Record<string, Feature>;
  socket?: (url: string) => WebSocket;
  /** A lab that is only looked at: nothing of it can be changed, and its facts come from here. */
  recorded?: { feed: Feed; rows: number }; // rows: packets that the list may hold
}

const REFUSALS = new Set([400, 409, 413, 422]);
const PROBES_KEPT = 20;

const WORKING = new Set(["starting", "changing", "stopping"]);

/** True while the worker has not caught up with what was asked of it. */
export function isBusy(status: LabStatus): boolean {
  return WORKING.has(status.phase) || status.observed_generation < status.generation;
}

/** Whether the lab is wanted in the kernel, as far as a status tells; else what was known. */
function wantedBy(status: LabStatus, known: boolean): boolean {
  if (["starting", "running", "changing"].includes(status.phase)) return true;
  if (status.phase === "stopping") return false;
  const settled = status.observed_generation >= status.generation;
  return status.phase === "stopped" && settled ? false : known;
}

export class LabSession {
  readonly id: number;
  readonly api: LabApi;
  readonly doc: DocStore;
  readonly undo: UndoStack;
  readonly live = new LiveStore();
  readonly packets: PacketsFeed;
  readonly facts;
  /** What is shown was recorded: nothing is drawn, run or sent. */
  readonly readOnly: boolean;
  private readonly socket: Feed;
  private readonly url: string;
  private readonly makeSocket: (url: string) => WebSocket;
  private listeners = new Set<SessionEvents>();
  private tracing: TraceEvents | null = null;
  private stopWatching: (() => void) | null = null;
  private online = () => this.socket.hurry();

  constructor(parts: SessionParts) {
    this.id = parts.lab.id;
    this.api = parts.api;
    this.undo = new UndoStack(() => this.doc);
    this.doc = new DocStore(
      parts.snapshot.document,
      parts.snapshot.seq,
      this.transport(),
      this.undo.events({
        refused: (_id, error) => this.tell((on) => on.trouble(error.said, error.problems)),
        problems: (problems) => this.takeProblems(problems),
      }),
    );
    this.readOnly = parts.recorded !== undefined;
    this.packets = new PacketsFeed(() => this.doc.topology, parts.recorded?.rows);
    this.facts = createStore<Facts>(() => ({
      lab: parts.lab,
      status: parts.lab.status,
      connection: "connecting",
      closedCode: null,
      problems: parts.snapshot.problems,
      probes: [],
      notices: [],
      features: parts.features,
      packetsPaused: false,
    }));
    this.live.setRunning(parts.lab.running);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.url = `${scheme}://${location.host}/ws/labs/${this.id}`;
    this.makeSocket = parts.socket ?? ((url) => new WebSocket(url));
    this.socket = parts.recorded?.feed ?? this.connected();
  }

  get topology(): Topology {
    return this.doc.topology;
  }

  /** Connect the socket and begin to listen. */
  start(): void {
    this.socket.open("live");
    this.socket.open("packets", { backlog: BACKLOG });
    this.socket.connect();
    this.stopWatching = this.live.watch();
    window.addEventListener("online", this.online);
  }

  destroy(): void {
    window.removeEventListener("online", this.online);
    this.stopWatching?.();
    this.socket.destroy();
    this.listeners.clear();
  }

  /** The socket of a terminal in this lab, not connected yet. */
  terminal(events: TerminalEvents): TerminalSocket {
    return new TerminalSocket(`${this.url}/terminal`, events, this.makeSocket);
  }

  on(events: SessionEvents): () => void {
    this.listeners.add(events);
    return () => this.listeners.delete(events);
  }

  /** Draw something; undoable. */
  submit(operation: Operation | null): void {
    if (operation && !this.readOnly) this.undo.submit(operation);
  }

  rename(name: string): void {
    this.submit(setDocument({ name }));
  }

  run = (): Promise<void> => this.command(() => this.api.run(), true);
  stop = (): Promise<void> => this.command(() => this.api.stop(), false);
  cancel = (): Promise<void> => this.command(() => this.api.cancel());

  async drift(node: string, path: string, action: "keep" | "restore"): Promise<void> {
    await this.attempt(() => this.api.drift(node, path, action));
  }

  async probe(request: ProbeRequest): Promise<void> {
    const probe = await this.attempt(() => this.api.probe(request));
    if (probe) this.takeProbe(probe);
  }

  /** Foretell, send and follow one packet; one at a time. */
  trace(request: TraceRequest, events: TraceEvents): void {
    this.socket.close("trace");
    this.tracing = events;
    this.socket.open("trace", { ...request });
  }

  setPacketsPaused(paused: boolean): void {
    this.packets.setPaused(paused);
    this.facts.setState({ packetsPaused: paused });
  }

  /** Only packets that a display filter lets through, in the list and on the canvas; "": all. */
  filterPackets(filter: string): void {
    this.socket.close("packets");
    this.packets.anew();
    this.socket.open("packets", { backlog: BACKLOG, ...(filter === "" ? {} : { filter }) });
  }

  dismissNotice(notice: Notice): void {
    this.facts.setState(({ notices }) => ({ notices: notices.filter((one) => one !== notice) }));
  }

  /** Make a call that the user asked for; failures are told, and the answer is then undefined. */
  async attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.tell((on) => on.trouble(error.said, error.problems));
      if (error.problems.length > 0) this.takeProblems(error.problems);
      return undefined;
    }
  }

  private async command(call: () => Promise<LabStatus>, wanted?: boolean): Promise<void> {
    const status = await this.attempt(call);
    if (!status) return;
    if (wanted !== undefined) this.setWanted(wanted);
    this.takeStatus(status);
  }

  private setWanted(running: boolean): void {
    this.facts.setState(({ lab }) => ({ lab: { ...lab, running } }));
  }

  private connected(): LabSocket {
    return new LabSocket(
      this.url,
      {
        fact: (fact) => this.take(fact),
        data: (stream, payload) => this.data(stream, payload),
        closed: (stream, code) => {
          if (stream === "live") this.live.setStale(true);
          else if (stream === "trace") this.traceOver(code);
        },
        connection: (state, code) => this.connection(state, code),
      },
      this.makeSocket,
    );
  }

  private transport(): Transport {
    return {
      send: async (envelope) => {
        try {
          return await this.api.send(envelope);
        } catch (error) {
          if (error instanceof ApiError && REFUSALS.has(error.status)) {
            throw new Refused(error.said, error.problems);
          }
          throw error;
        }
      },
      since: (seq) => this.api.since(seq),
    };
  }

  private connection(connection: Connection, code?: number): void {
    this.facts.setState({ connection, closedCode: code ?? null });
    if (connection === "open") void this.doc.resume();
    else if (connection !== "connecting") {
      this.live.setStale(true);
      this.traceOver("away");
    }
  }

  private take(fact: Fact): void {
    switch (fact.type) {
      case "hello":
        this.takeStatus(fact.status);
        if (fact.uplink) this.takeUplink(fact.uplink);
        if (fact.seq > this.doc.seq) void this.doc.resume();
        break;
      case "operations":
        this.doc.receive(fact.operations);
        break;
      case "status":
        this.takeStatus(fact.status);
        break;
      case "uplink":
        this.takeUplink(fact.uplink);
        break;
      case "problems":
        this.takeProblems(fact.problems);
        break;
      case "probe":
        this.takeProbe(fact.probe);
        break;
      case "notice":
        this.notice(fact);
    }
  }

  private notice(notice: Notice): void {
    const { code, message, stream } = notice;
    if (stream === "trace") {
      if (code !== "stream-back") this.traceOver(message || code);
      return;
    }
    if (stream === "live" && code === "stream-away") this.live.setStale(true);
    const about = (one: Notice) => (stream ? one.stream === stream : one.code === code);
    this.facts.setState(({ notices }) => {
      const others = notices.filter((one) => !about(one));
      if (code === "stream-back") return { notices: others };
      return { notices: [...others, { code, message, ...(stream ? { stream } : {}) }] };
    });
  }

  private takeStatus(status: LabStatus): void {
    const { status: before, lab } = this.facts.getState();
    if (isOlder(status, before)) return; // an HTTP answer may come after newer facts
    const running = wantedBy(status, lab.running);
    const shown = running || status.phase !== "stopped";
    if (running !== lab.running || !isSame(status, before)) {
      this.facts.setState({ status, lab: { ...lab, status, running } });
    }
    this.live.setRunning(shown);
    if (!shown && before.phase !== "stopped") this.packets.clear();
    if (before.phase !== status.phase) this.tell((on) => on.phase(status, before));
  }

  private takeProblems(problems: Problem[]): void {
    if (!isSame(problems, this.facts.getState().problems)) this.facts.setState({ problems });
  }

  private takeUplink(uplink: UplinkGrant): void {
    this.facts.setState(({ lab }) => ({ lab: { ...lab, uplink } }));
  }

  private takeProbe(probe: Probe): void {
    const { probes } = this.facts.getState();
    const known = probes.find((one) => one.id === probe.id);
    const over = (one: Probe) => one.status === "done" || one.status === "failed";
    if (known && over(known)) return;
    const rest = probes.filter((one) => one.id !== probe.id);
    this.facts.setState({ probes: [probe, ...rest].slice(0, PROBES_KEPT) });
    this.tell((on) => on.probe(probe));
  }

  private data(stream: StreamName, payload: unknown): void {
    if (stream === "live") this.live.receive(payload as LivePayload);
    else if (stream === "packets") this.packets.receive(payload as PacketsPayload);
    else this.traced(payload as TraceMessage);
  }

  private traced(message: TraceMessage): void {
    this.tracing?.message(message);
    if (message.type === "verdict") this.traceOver("done");
  }

  /** Nobody opens it anew after a reconnect: the packet would be sent twice. */
  private traceOver(code: string): void {
    const { tracing } = this;
    this.tracing = null;
    this.socket.close("trace");
    tracing?.over(code);
  }

  private tell(say: (events: SessionEvents) => void): void {
    for (const events of [...this.listeners]) say(events);
  }
}

/** What comes again as it was must not make anybody look again. */
function isSame<T>(one: T, other: T): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isOlder(status: LabStatus, known: LabStatus): boolean {
  if (status.generation !== known.generation) return status.generation < known.generation;
  return status.observed_generation < known.observed_generation;
}
