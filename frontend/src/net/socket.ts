/**
 * The lab's WebSocket: facts as JSON text, streams as binary frames under credit. Reconnects with
 * back-off and jitter, and opens again the streams that were open.
 */

import type { LabStatus, Probe, UplinkGrant } from "../api/types";
import type { Accepted } from "../doc/ops";
import type { Problem } from "../doc/store";
import { decodeFrame, Kind, Stream } from "./frames";
import { FINAL, Retry } from "./retry";

export type StreamName = "live" | "packets" | "trace";

export type Fact =
  | {
      type: "hello";
      seq: number;
      status: LabStatus;
      user: number | { id: number };
      uplink?: UplinkGrant;
    }
  | { type: "operations"; operations: Accepted[] }
  | { type: "status"; status: LabStatus }
  | { type: "uplink"; uplink: UplinkGrant }
  | { type: "problems"; problems: Problem[] }
  | { type: "probe"; probe: Probe }
  | { type: "notice"; code: string; message: string; stream?: StreamName };

export type Connection = "connecting" | "open" | "away" | "closed";

export interface SocketEvents {
  fact(fact: Fact): void;
  data(stream: StreamName, payload: unknown): void;
  closed(stream: StreamName, code: string): void;
  connection(state: Connection, code?: number): void;
}

/** Where facts and streams come from. A recording has none: it plays by itself. */
export interface Feed {
  connect(): void;
  open(stream: StreamName, params?: Record<string, unknown>): void;
  close(stream: StreamName): void;
  hurry(): void;
  destroy(): void;
}

const NUMBERS: Record<StreamName, number> = {
  live: Stream.live,
  packets: Stream.packets,
  trace: Stream.trace,
};
const NAMES = new Map(
  Object.entries(NUMBERS).map(([name, number]) => [number, name as StreamName]),
);

export class LabSocket implements Feed {
  private socket: WebSocket | null = null;
  private readonly retry = new Retry(() => this.connect());
  private wanted = new Map<StreamName, Record<string, unknown>>();
  private decoder = new TextDecoder();

  constructor(
    private readonly url: string,
    private readonly events: SocketEvents,
    private readonly make: (url: string) => WebSocket = (address) => new WebSocket(address),
  ) {}

  connect(): void {
    this.events.connection("connecting");
    const socket = this.make(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.retry.reset();
      this.events.connection("open");
      for (const [stream, params] of this.wanted) this.sendOpen(stream, params);
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.receive(event.data);
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
  }

  /** Open a stream now and after each reconnect; credit flows by itself. */
  open(stream: StreamName, params: Record<string, unknown> = {}): void {
    this.wanted.set(stream, params);
    if (this.socket?.readyState === WebSocket.OPEN) this.sendOpen(stream, params);
  }

  close(stream: StreamName): void {
    if (this.wanted.delete(stream)) this.send({ type: "close", stream });
  }

  /** Reconnect at once instead of waiting: the browser says it is online again. */
  hurry(): void {
    this.retry.hurry();
  }

  destroy(): void {
    this.retry.cancel();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private receive(data: string | ArrayBuffer): void {
    if (typeof data === "string") {
      this.events.fact(JSON.parse(data) as Fact);
      return;
    }
    const frame = decodeFrame(data);
    const stream = frame && NAMES.get(frame.stream);
    if (!frame || !stream) return;
    const text = this.decoder.decode(frame.payload);
    if (frame.kind === Kind.data) {
      try {
        this.events.data(stream, JSON.parse(text));
      } finally {
        this.send({ type: "credit", stream, credit: 1 });
      }
    } else if (frame.kind === Kind.close) {
      const reason = text === "" ? {} : (JSON.parse(text) as { code?: unknown });
      this.events.closed(stream, String(reason.code ?? ""));
    }
  }

  private lost(code: number): void {
    this.socket = null;
    if (FINAL.has(code)) {
      this.events.connection("closed", code);
      return;
    }
    this.events.connection("away", code);
    this.retry.later();
  }

  private sendOpen(stream: StreamName, params: Record<string, unknown>): void {
    this.send({ type: "open", stream, params });
  }

  private send(message: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
