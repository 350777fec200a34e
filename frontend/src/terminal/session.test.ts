import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeSocket } from "../net/mockServer";
import { TerminalSocket, type TerminalText } from "../net/terminalSocket";
import { plain, type Screen, TerminalSession } from "./session";

/** A screen that parses only when the test says so. */
class FakeScreen implements Screen {
  columns = 80;
  rows = 24;
  text = "";
  writable = true;
  private queue: { bytes: Uint8Array; done: (() => void) | undefined }[] = [];

  write(bytes: Uint8Array, done?: () => void): void {
    this.queue.push({ bytes, done });
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
  }

  setWritable(writable: boolean): void {
    this.writable = writable;
  }

  parse(): void {
    for (const { bytes, done } of this.queue.splice(0)) {
      const text = new TextDecoder().decode(bytes);
      this.text = text === "\x1bc" ? "" : this.text + text;
      done?.();
    }
  }
}

let screen: FakeScreen;
let kept: (string | null)[];
let session: TerminalSession;
const socket = () => FakeSocket.last as FakeSocket;
const state = () => session.state.getState();
const typed = () => socket().typed.map((bytes) => new TextDecoder().decode(bytes));
const credits = () =>
  socket()
    .sent.filter(({ type }) => type === "credit")
    .map(({ bytes }) => bytes);

function begin(terminal: string | null = null): void {
  screen = new FakeScreen();
  kept = [];
  session = new TerminalSession(
    "n1",
    terminal,
    screen,
    (events) =>
      new TerminalSocket("ws://x/terminal", events, (url) => {
        return new FakeSocket(url) as unknown as WebSocket;
      }),
    (id) => kept.push(id),
  );
  session.start();
  socket().open();
}

function opened(change: Partial<Extract<TerminalText, { type: "opened" }>> = {}): void {
  socket().fact({
    type: "opened",
    terminal: "t1",
    node: "n1",
    write: true,
    columns: 80,
    rows: 24,
    missed: 0,
    replay: 0,
    ...change,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  session.destroy();
  vi.useRealTimers();
});

describe("a terminal", () => {
  it("opens in the size of its screen, types, and is known by its id afterwards", () => {
    begin();
    expect(socket().sent).toEqual([
      { type: "open", node: "n1", terminal: null, columns: 80, rows: 24 },
    ]);
    session.input("too early");
    opened();
    session.input("ls é\r");
    session.inputBinary("\x1b[M\x80");
    expect(typed()[0]).toBe("ls é\r");
    expect([...(socket().typed[1] ?? [])]).toEqual([0x1b, 0x5b, 0x4d, 0x80]);
    expect(kept).toEqual(["t1"]);
    expect(state()).toMatchObject({ phase: "open", write: true, back: null });
  });

  it("gives credit back only for what the screen has parsed, all of it, in lumps", () => {
    begin();
    opened();
    for (let at = 0; at < 5; at += 1) socket().bytes("x".repeat(10_000));
    expect(credits()).toEqual([]);
    screen.parse();
    expect(credits()).toEqual([20_000, 20_000, 10_000]);
  });

  it("drops what the screen answers to a replay, and nothing after it", () => {
    begin("t1");
    opened({ replay: 12, missed: 5_000 });
    socket().bytes("1234567890");
    session.input("\x1b[?1;2c");
    screen.parse();
    session.input("\x1b[?1;2c"); // two bytes are still to come
    socket().bytes("12 and more");
    screen.parse();
    session.input("x");
    expect(typed()).toEqual(["x"]);
    expect(state().back).toEqual({ replaced: false, missed: 5_000 });
  });

  it("lets nothing of a viewer through who may only read, and takes the writer's size", () => {
    begin();
    opened({ write: false, columns: 132, rows: 50 });
    expect(screen).toMatchObject({ columns: 132, rows: 50, writable: false });
    session.input("\x1b[0n");
    session.inputBinary("x");
    session.resized(90, 30);
    socket().fact({ type: "size", columns: 100, rows: 40 });
    expect(screen.columns).toBe(100);
    expect(typed()).toEqual([]);
    expect(socket().sent).toHaveLength(1);
    socket().fact({ type: "writer", write: true });
    session.input("now");
    session.resized(90, 30);
    expect(typed()).toEqual(["now"]);
    expect(socket().sent.at(-1)).toEqual({ type: "resize", columns: 90, rows: 30 });
    expect(screen.writable).toBe(true);
  });

  it("connects again, joins the same terminal and shows it anew, once", () => {
    begin();
    opened();
    socket().bytes("one two");
    const lost = socket();
    lost.close(1006);
    expect(state().phase).toBe("away");
    session.input("nobody hears");
    vi.runOnlyPendingTimers();
    expect(socket()).not.toBe(lost);
    socket().open();
    expect(socket().sent[0]).toMatchObject({ type: "open", terminal: "t1" });
    opened({ replay: 7 });
    socket().bytes("one two");
    socket().bytes(" three");
    screen.parse();
    expect(screen.text).toBe("one two three");
    // What the lost connection had sent is not paid to the new one.
    expect(credits()).toEqual([13]);
    expect(typed()).toEqual([]);
    session.goOn();
    expect(state().back).toBeNull();
  });

  it("says that another program is there when the old one is gone", () => {
    begin("t0");
    socket().fact({ type: "notice", code: "stream-back", message: "" });
    opened({ terminal: "t1" });
    expect(state().back).toEqual({ replaced: true, missed: 0 });
    expect(kept).toEqual(["t1"]);
  });

  it("waits for a worker that is away on the same socket", () => {
    begin();
    opened();
    socket().fact({ type: "notice", code: "stream-away", message: "The worker is away." });
    expect(state().phase).toBe("away");
    session.input("x");
    socket().fact({ type: "notice", code: "stream-back", message: "" });
    opened({ replay: 0 });
    session.input("y");
    expect(typed()).toEqual(["y"]);
  });

  it("ends, says how, does not come back by itself, and begins anew when asked", () => {
    begin();
    opened();
    socket().bytes("bye");
    const first = socket();
    first.fact({ type: "ended", status: 3, message: "The lab was stopped." });
    expect(first.readyState).toBe(WebSocket.CLOSED);
    vi.runOnlyPendingTimers();
    expect(socket()).toBe(first);
    expect(state()).toMatchObject({
      phase: "ended",
      status: 3,
      said: { message: "The lab was stopped." },
    });
    expect(kept).toEqual(["t1", null]);
    session.again();
    socket().open();
    expect(socket().sent[0]).toMatchObject({ terminal: null });
    opened({ terminal: "t2" });
    screen.parse();
    expect(screen.text).toBe("");
    expect(state()).toMatchObject({ phase: "open", back: null, said: { message: "" } });
  });

  it("tells a refusal from a loss", () => {
    begin();
    socket().fact({ type: "notice", code: "stream-refused", message: "20 terminals are open." });
    expect(state()).toMatchObject({
      phase: "refused",
      said: { message: "20 terminals are open." },
    });
    session.again();
    socket().open();
    socket().close(4401);
    expect(state()).toMatchObject({ phase: "refused", reason: "signedOut" });
    vi.runOnlyPendingTimers();
    expect(socket().readyState).toBe(WebSocket.CLOSED);
  });

  it("sends no more input than may be under way, and the rest as it is taken", () => {
    begin();
    opened();
    session.input("x".repeat(200_000));
    const sizes = () => socket().typed.map((bytes) => bytes.length);
    expect(sizes()).toEqual([65_536, 65_536]);
    socket().fact({ type: "credit", bytes: 50_000 });
    expect(sizes().slice(2)).toEqual([50_000]);
    socket().fact({ type: "credit", bytes: 100_000 });
    expect(sizes().slice(3)).toEqual([18_928]);
  });

  it("hangs up for good when it is closed", () => {
    begin();
    opened();
    const last = socket();
    session.end();
    expect(last.sent.at(-1)).toEqual({ type: "end" });
    expect(last.readyState).toBe(WebSocket.CLOSED);
  });
});

it("shows titles as plain text", () => {
  expect(plain("root@h1: \u202e~\x07\u200b<b>x</b>\n")).toBe("root@h1: ~<b>x</b>");
  expect(plain("x".repeat(500))).toHaveLength(80);
});
