/**
 * The WebSocket of one terminal: bytes both ways without a header, texts in JSON. After a loss it
 * connects again and joins the same terminal.
 */

import type { Said } from "../doc/said";
import { FINAL, Retry } from "./retry";
import type { Connection } from "./socket";

/** What the server says beside bytes; `replay` bytes of scroll-back follow `opened`. */
export type TerminalText =
  | {
      type: "opened";
      terminal: string;
      node: string;
      write: boolean;
      columns: number;
      rows: number;
      missed: number;
      replay?: number;
    }
  | { type: "size"; columns: number; rows: number }
  | { type: "writer"; write: boolean }
  // `code` is the notice's own; what its message is translated by is `said`.
  | { type: "notice"; code: string; message: string; said?: string; params?: Said["params"] }
  | ({ type: "ended"; status: number } & Said);

/** Beside those: so many bytes more of the input have been taken. */
interface Taken {
  type: "credit";
  bytes: number;
}

/** What to ask for, at each connection anew. `terminal` null: a new one. */
export interface TerminalRequest {
  node: string;
  terminal: string | null;
  columns: number;
  rows: number;
}

export interface TerminalEvents {
  request(): TerminalRequest;
  text(text: TerminalText): void;
  bytes(bytes: Uint8Array): void;
  connection(state: Connection, code?: number): void;
}

const LARGEST = 65_536; // bytes in one message
const WINDOW = 131_072; // bytes of input that may be under way

export class TerminalSocket {
  private socket: WebSocket | null = null;
  private waiting: Uint8Array<ArrayBuffer>[] = []; // input beyond what may be under way
  private allowance = WINDOW;
  private readonly retry = new Retry(() => this.connect());
  private readonly online = () => this.retry.hurry();

  constructor(
    private readonly url: string,
    private readonly events: TerminalEvents,
    private readonly make: (url: string) => WebSocket,
  ) {
    window.addEventListener("online", this.online);
  }

  connect(): void {
    this.events.connection("connecting");
    const socket = this.make(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      this.retry.reset();
      this.waiting = [];
      this.allowance = WINDOW;
      this.events.connection("open");
      this.send({ type: "open", ...this.events.request() });
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.socket !== socket) return;
      if (typeof data === "string") this.take(JSON.parse(data) as TerminalText | Taken);
      else this.events.bytes(new Uint8Array(data));
    };
    socket.onclose = ({ code }) => {
      if (this.socket === socket) this.lost(code);
    };
  }

  /** What was typed or pasted; lost when there is no connection, and the pane says so. */
  input(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.socket?.readyState !== WebSocket.OPEN || bytes.length === 0) return;
    this.waiting.push(bytes);
    this.flush();
  }

  resize(columns: number, rows: number): void {
    this.send({ type: "resize", columns, rows });
  }

  /** So many bytes more are on the screen. */
  credit(bytes: number): void {
    this.send({ type: "credit", bytes });
  }

  /** Hang up for good: the program ends. */
  end(): void {
    this.send({ type: "end" });
    this.destroy();
  }

  /** Close the connection; the program lives on for a while. */
  destroy(): void {
    window.removeEventListener("online", this.online);
    this.retry.cancel();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private take(text: TerminalText | Taken): void {
    if (text.type !== "credit") {
      this.events.text(text);
      return;
    }
    this.allowance += text.bytes;
    this.flush();
  }

  private flush(): void {
    while (this.allowance > 0) {
      const next = this.waiting.shift();
      if (!next) return;
      const size = Math.min(next.length, this.allowance, LARGEST);
      this.socket?.send(next.subarray(0, size));
      this.allowance -= size;
      if (size < next.length) this.waiting.unshift(next.subarray(size));
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

  private send(message: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
