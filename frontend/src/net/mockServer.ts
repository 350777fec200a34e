/** For tests only: one lab in memory behind the same contract, with a socket the test drives. */

import type { Feature, Lab, LabStatus, Probe, SessionInfo, UplinkGrant } from "../api/types";
import type { Topology } from "../doc/model";
import type { Operation } from "../doc/ops";
import { Refused } from "../doc/store";
import { MemoryServer } from "../doc/testing";
import { Api, type LabApi } from "./api";
import { encodeFrame, Kind } from "./frames";
import { LabSession } from "./session";
import type { Fact } from "./socket";
import type { TerminalText } from "./terminalSocket";

export const STOPPED: LabStatus = {
  phase: "stopped",
  generation: 1,
  observed_generation: 1,
  message: "",
  steps_done: 0,
  steps_total: 0,
  failures: [],
  since: null,
};

/** The browser's end of a WebSocket whose server is the test. */
export class FakeSocket extends EventTarget {
  static last: FakeSocket | null = null;
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = "blob";
  sent: Record<string, unknown>[] = [];
  typed: Uint8Array[] = []; // binary messages
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    super();
    FakeSocket.last = this;
    FakeSocket.all.push(this);
  }

  /** The server accepts. */
  open(): void {
    this.readyState = WebSocket.OPEN;
    this.onopen?.();
  }

  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.sent.push(JSON.parse(data));
    else this.typed.push(data);
  }

  close(code = 1000): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    this.onclose?.({ code });
  }

  fact(fact: Fact | TerminalText | { type: "credit"; bytes: number }): void {
    this.onmessage?.({ data: JSON.stringify(fact) });
  }

  /** Bytes of a terminal: they have no header. */
  bytes(text: string): void {
    this.onmessage?.({ data: new TextEncoder().encode(text).slice().buffer });
  }

  data(stream: number, payload: unknown): void {
    const bytes = new TextEncoder().encode(JSON.stringify(payload));
    const frame = { stream, kind: Kind.data, sequence: 0, payload: bytes };
    this.onmessage?.({ data: encodeFrame(frame) });
  }
}

export interface MockLab {
  server: MemoryServer;
  session: LabSession;
  socket: FakeSocket;
  calls: { method: string; path: string; body: unknown }[];
}

interface Options {
  refuses?: (operation: Operation) => boolean;
  running?: boolean;
  answers?: Record<string, (body: unknown) => unknown>; // by "METHOD /path"
  features?: Record<string, Feature>;
  uplink?: UplinkGrant;
}

/** A session on a lab in memory, connected. Destroy the session when done. */
export function mockLab(topology: Topology, options: Options = {}): MockLab {
  const server = new MemoryServer(topology, options.refuses);
  const calls: MockLab["calls"] = [];
  const status: LabStatus = { ...STOPPED, phase: options.running ? "running" : "stopped" };
  const lab: Lab = {
    id: 1,
    name: topology.name,
    seq: 0,
    generation: 1,
    running: options.running ?? false,
    owner: "me",
    created: "",
    updated: "",
    status,
    ...(options.uplink ? { uplink: options.uplink } : {}),
  };
  const answers: Record<string, (body: unknown) => unknown> = {
    "POST /labs/1/run": () => ({ ...status, phase: "starting", generation: 2 }),
    "POST /labs/1/stop": () => ({ ...status, phase: "stopping", generation: 2 }),
    "POST /labs/1/drift": () => status,
    "POST /labs/1/plan": () => ({ steps: [], problems: [] }),
    "POST /labs/1/probes": (body): Probe => ({
      id: 1,
      port: null,
      count: 3,
      status: "waiting",
      result: null,
      ...(body as Pick<Probe, "kind" | "source" | "target">),
    }),
    ...options.answers,
  };
  const fetcher = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const path = String(input).replace("/api/v1", "");
    const method = init?.method ?? "GET";
    const body: unknown = init?.body ? JSON.parse(String(init.body)) : undefined;
    calls.push({ method, path, body });
    const answer = answers[`${method} ${path}`];
    if (answer) return Response.json(answer(body));
    if (path.startsWith("/labs/1/operations")) return operations(server, method, path, body);
    return Response.json({ title: "Not found", detail: "no such thing" }, { status: 404 });
  };
  const api: LabApi = new Api(fetcher as typeof fetch).forLab(1);
  const session = new LabSession({
    lab,
    snapshot: { seq: 0, document: topology, problems: [] },
    api,
    features: options.features ?? {},
    socket: (url) => new FakeSocket(url) as unknown as WebSocket,
  });
  session.start();
  const socket = FakeSocket.last as FakeSocket;
  socket.open();
  return { server, session, socket, calls };
}

function operations(server: MemoryServer, method: string, path: string, body: unknown): Response {
  if (method === "GET") {
    const since = Number(new URLSearchParams(path.split("?")[1]).get("since"));
    const missed = server.log.filter((one) => one.seq > since);
    return Response.json({ seq: server.seq, operations: missed, document: null });
  }
  const { op_id, base_seq, ...operation } = body as Operation & {
    op_id: string;
    base_seq: number;
  };
  try {
    return Response.json(server.accept({ op_id, base_seq, operation: operation as Operation }, 1));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return Response.json({ title: "Refused", problems: error.problems }, { status: 422 });
  }
}

export const SESSION: SessionInfo = {
  user: { id: 1, name: "me" },
  csrf: "token",
  features: {},
  mode: "alone",
};
