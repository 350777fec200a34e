/**
 * One terminal between its screen and its connection: credit, reconnecting, who may type. Knows
 * neither xterm nor React.
 */

import { createStore } from "zustand/vanilla";
import type { Said } from "../doc/said";
import type { Connection } from "../net/socket";
import type {
  TerminalEvents,
  TerminalRequest,
  TerminalSocket,
  TerminalText,
} from "../net/terminalSocket";

/** The screen as far as the connection needs it. Sizes in cells. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** `done` is called when the bytes have been parsed. */
  write(bytes: Uint8Array, done?: () => void): void;
  resize(columns: number, rows: number): void;
  setWritable(writable: boolean): void;
}

type TerminalNotice = Extract<TerminalText, { type: "notice" }>;

export type Phase = "connecting" | "open" | "away" | "ended" | "refused";

/** How it was after a reconnect: the same terminal or a new one, and bytes that were not kept. */
export interface Return {
  replaced: boolean;
  missed: number;
}

export interface TerminalState {
  phase: Phase;
  write: boolean;
  /** i18n key of what went wrong, and the server's own words; empty for none. */
  reason: string;
  said: Said;
  status: number; // of the program, once it has ended
  /** Set after a reconnect until the user goes on. */
  back: Return | null;
  title: string;
  bell: boolean;
}

/** Leave the id of the terminal with the pane. */
export type Keep = (terminal: string | null) => void;

const NOTHING: Said = { message: "" };
const GIVE_BACK = 16_384; // bytes: credit goes back in lumps, and when nothing is left to parse
const RESET = new TextEncoder().encode("\x1bc"); // RIS, ECMA-48 8.3.105

const CLOSED: Record<number, string> = { 4401: "signedOut", 4404: "noLab" };

export class TerminalSession {
  readonly state = createStore<TerminalState>(() => ({
    phase: "connecting",
    write: true,
    reason: "",
    said: NOTHING,
    status: 0,
    back: null,
    title: "",
    bell: false,
  }));
  private socket: TerminalSocket | null = null;
  private epoch = 0; // of the connection: what is left of an older one gives no credit
  private unparsed = 0;
  private owed = 0;
  private replay = { coming: 0, unparsed: 0 }; // bytes of the scroll-back
  private seen = false; // the screen shows something already
  private encoder = new TextEncoder();

  constructor(
    private readonly node: string,
    private terminal: string | null,
    private readonly screen: Screen,
    private readonly make: (events: TerminalEvents) => TerminalSocket,
    private readonly keep: Keep,
  ) {}

  start(): void {
    this.socket = this.make({
      request: () => this.request(),
      text: (text) => this.take(text),
      bytes: (bytes) => this.show(bytes),
      connection: (state, code) => this.connection(state, code),
    });
    this.socket.connect();
  }

  /** What the user typed or the screen answers. Dropped where this viewer may only read. */
  input(text: string): void {
    this.send(this.encoder.encode(text));
  }

  /** The same for what is no text: some mouse reports. One byte a character. */
  inputBinary(text: string): void {
    this.send(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  /** The pane has another size, in cells. */
  resized(columns: number, rows: number): void {
    const { phase, write } = this.state.getState();
    if (phase === "open" && write) this.socket?.resize(columns, rows);
  }

  setTitle(title: string): void {
    this.state.setState({ title: plain(title) });
  }

  setBell(bell: boolean): void {
    this.state.setState({ bell });
  }

  /** The user has seen that it was away. */
  goOn(): void {
    if (this.state.getState().back) this.state.setState({ back: null });
  }

  /** A new program in the same pane. */
  again(): void {
    this.socket?.destroy();
    this.terminal = null;
    this.keep(null);
    this.seen = false;
    this.screen.write(RESET);
    this.state.setState({ phase: "connecting", reason: "", said: NOTHING, title: "", back: null });
    this.start();
  }

  /** Hang up for good. */
  end(): void {
    this.socket?.end();
    this.socket = null;
  }

  /** Leave; the program lives on for a while. */
  destroy(): void {
    this.socket?.destroy();
    this.socket = null;
  }

  private request(): TerminalRequest {
    const { columns, rows } = this.screen;
    return { node: this.node, terminal: this.terminal, columns, rows };
  }

  private connection(state: Connection, code?: number): void {
    this.epoch += 1;
    this.unparsed = 0;
    this.owed = 0;
    this.replay = { coming: 0, unparsed: 0 };
    if (state === "away") this.state.setState({ phase: "away" });
    if (state === "closed") {
      this.state.setState({
        phase: "refused",
        reason: CLOSED[code ?? 0] ?? "fault",
        said: NOTHING,
      });
    }
  }

  private take(text: TerminalText): void {
    switch (text.type) {
      case "opened":
        this.opened(text);
        break;
      case "size":
        this.screen.resize(text.columns, text.rows);
        break;
      case "writer":
        this.setWrite(text.write);
        break;
      case "ended":
        this.socket?.destroy();
        this.keep(null);
        this.state.setState({ phase: "ended", status: text.status, said: text });
        break;
      case "notice":
        this.notice(text);
    }
  }

  private opened(text: Extract<TerminalText, { type: "opened" }>): void {
    const joined = this.terminal !== null;
    const replaced = joined && this.terminal !== text.terminal;
    this.terminal = text.terminal;
    this.keep(text.terminal);
    this.replay.coming = text.replay ?? 0;
    // Through the queue, after what came before: the replay shows it again.
    if (this.seen) this.screen.write(RESET);
    this.seen = true;
    this.state.setState({
      phase: "open",
      reason: "",
      said: NOTHING,
      title: replaced ? "" : this.state.getState().title,
      back: joined ? { replaced, missed: text.missed } : null,
    });
    this.setWrite(text.write);
    const { columns, rows } = this.screen;
    if (!text.write) this.screen.resize(text.columns, text.rows);
    else if (columns !== text.columns || rows !== text.rows) this.resized(columns, rows);
  }

  private setWrite(write: boolean): void {
    this.state.setState({ write });
    this.screen.setWritable(write);
  }

  private notice({ code, message, said, params }: TerminalNotice): void {
    if (code === "stream-refused") {
      this.socket?.destroy();
      this.keep(null);
      this.state.setState({
        phase: "refused",
        reason: "refused",
        said: { message, code: said, params },
      });
    } else {
      // After stream-back comes another `opened`, which says what became of the terminal.
      this.state.setState({ phase: code === "stream-back" ? "connecting" : "away" });
    }
  }

  private show(bytes: Uint8Array): void {
    const { epoch, replay } = this;
    const replayed = Math.min(replay.coming, bytes.length);
    replay.coming -= replayed;
    replay.unparsed += replayed;
    this.unparsed += bytes.length;
    this.screen.write(bytes, () => {
      replay.unparsed -= replayed;
      if (epoch === this.epoch) this.parsed(bytes.length);
    });
  }

  private parsed(bytes: number): void {
    this.unparsed -= bytes;
    this.owed += bytes;
    if (this.owed < GIVE_BACK && this.unparsed > 0) return;
    this.socket?.credit(this.owed);
    this.owed = 0;
  }

  private send(bytes: Uint8Array<ArrayBuffer>): void {
    const { phase, write } = this.state.getState();
    // What the screen says to a replayed question was said when it was asked.
    const replaying = this.replay.coming + this.replay.unparsed > 0;
    if (phase === "open" && write && !replaying) this.socket?.input(bytes);
  }
}

const TITLE = 80; // characters

/** A title as plain text: without control characters and marks that turn the direction of writing. */
export function plain(title: string): string {
  return title
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "")
    .trim()
    .slice(0, TITLE);
}
