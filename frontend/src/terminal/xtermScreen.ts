/** xterm.js as the screen of a terminal, in an element that panes hand on to each other. */

import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { type ITerminalOptions, Terminal } from "@xterm/xterm";
import { Gpu } from "./gpu";
import { palette } from "./palette";
import type { Screen } from "./session";
import { withStyles } from "./styles";

const FAMILY =
  '"JetBrains Mono Variable", "JetBrains Mono", "Noto Sans Mono CJK SC", ui-monospace, monospace';
const SCROLL_BACK = 5_000; // lines
const LEAST = 8; // columns of the narrowest pane
const MOST = 1_000; // columns and rows
const SETTLE = 60; // ms: a program draws anew at each size, so not at every step of a drag
const CONTRAST = 4.5; // WCAG 2.2, 1.4.3

export interface ScreenEvents {
  input(text: string): void;
  binary(text: string): void;
  resized(columns: number, rows: number): void;
  title(title: string): void;
  bell(): void;
  /** Somebody clicked on an address that a program had marked as a link (OSC 8). */
  link(address: string): void;
  /** A key that is not the program's. */
  spares(event: KeyboardEvent): boolean;
  found(index: number, count: number): void;
  typed(): void;
}

export interface ScreenSettings {
  fontSize: number; // px
  screenReader: boolean;
}

export class XtermScreen implements Screen {
  private readonly element = document.createElement("div");
  private readonly terminal: Terminal;
  private readonly fitting = new FitAddon();
  private readonly search = new SearchAddon();
  private readonly gpu: Gpu;
  private readonly observer = new ResizeObserver(() => this.fitSoon());
  private timer: ReturnType<typeof setTimeout> | null = null;
  private opened = false;
  private writable = true; // a viewer's size is that of whoever may type

  constructor(
    private readonly events: ScreenEvents,
    settings: ScreenSettings,
  ) {
    this.element.className = "term-screen";
    this.terminal = new Terminal({
      ...OPTIONS,
      ...optionsOf(settings),
      linkHandler: links(events),
    });
    this.gpu = new Gpu(this.terminal);
    this.terminal.loadAddon(this.fitting);
    this.terminal.loadAddon(this.search);
    this.terminal.loadAddon(new UnicodeGraphemesAddon());
    refuseHugeCounts(this.terminal);
    this.terminal.attachCustomKeyEventHandler((event) => !events.spares(event));
    this.terminal.onData((text) => events.input(text));
    this.terminal.onBinary((text) => events.binary(text));
    this.terminal.onKey(() => events.typed());
    this.terminal.onTitleChange((title) => events.title(title));
    this.terminal.onBell(() => events.bell());
    this.search.onDidChangeResults(({ resultIndex, resultCount }) =>
      events.found(resultIndex, resultCount),
    );
  }

  get columns(): number {
    return this.terminal.cols;
  }

  get rows(): number {
    return this.terminal.rows;
  }

  get selection(): string {
    return this.terminal.getSelection();
  }

  write(bytes: Uint8Array, done?: () => void): void {
    this.terminal.write(bytes, done);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
  }

  setWritable(writable: boolean): void {
    this.writable = writable;
    this.terminal.options.disableStdin = !writable;
    this.terminal.options.cursorInactiveStyle = writable ? "outline" : "none";
    this.fitSoon();
  }

  /** Show it in a pane. `label` names it to a screen reader. */
  attach(host: HTMLElement, label: string): void {
    host.append(this.element);
    if (!this.opened) {
      this.opened = true;
      withStyles(() => this.terminal.open(this.element));
      this.fit(); // so that the program begins in the right size
    }
    this.terminal.textarea?.setAttribute("aria-label", label);
    this.observer.observe(this.element);
  }

  detach(): void {
    this.observer.disconnect();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.gpu.off();
    this.element.remove();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** It has the keyboard, or has lost it. */
  setFocused(focused: boolean): void {
    if (focused) void this.gpu.on();
    else this.gpu.off();
  }

  set(settings: ScreenSettings): void {
    Object.assign(this.terminal.options, optionsOf(settings));
    this.fitSoon();
  }

  repaint(): void {
    this.terminal.options.theme = palette();
  }

  /** Find on the screen and in what has scrolled away; an empty text clears the marks. */
  find(text: string, backwards: boolean, typing = false): void {
    if (text === "") this.search.clearDecorations();
    else if (backwards) this.search.findPrevious(text, { decorations: marks() });
    else this.search.findNext(text, { decorations: marks(), incremental: typing });
  }

  dispose(): void {
    this.detach();
    this.terminal.dispose();
  }

  /** As many cells as the pane has room for. */
  private fit(): void {
    const room = this.writable ? this.fitting.proposeDimensions() : undefined;
    if (!room || !(room.cols >= LEAST && room.rows > 1)) return; // not laid out yet
    const [columns, rows] = [Math.min(room.cols, MOST), Math.min(room.rows, MOST)];
    if (columns === this.columns && rows === this.rows) return;
    this.terminal.resize(columns, rows);
    this.events.resized(columns, rows);
  }

  private fitSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.fit();
    }, SETTLE);
  }
}

const OPTIONS: ITerminalOptions = {
  allowProposedApi: true, // of unicode versions and of marks
  fontFamily: FAMILY,
  lineHeight: 1.2,
  scrollback: SCROLL_BACK,
  minimumContrastRatio: CONTRAST,
  macOptionIsMeta: true,
  logLevel: "off",
};

function optionsOf({ fontSize, screenReader }: ScreenSettings): ITerminalOptions {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  return { fontSize, screenReaderMode: screenReader, cursorBlink: !still, theme: palette() };
}

/**
 * Pass over a sequence that asks to do a thing more often than any screen has cells in a line: xterm
 * counts to two thousand million for REP and its like, and the page of every viewer would stand.
 */
function refuseHugeCounts(terminal: Terminal): void {
  const counted = [..."@ILMPSTXZb"].map((final) => ({ final }));
  const columns = [..."}~"].map((final) => ({ final, intermediates: "'" }));
  const scrolls = [..."@A"].map((final) => ({ final, intermediates: " " }));
  for (const sequence of [...counted, ...columns, ...scrolls]) {
    terminal.parser.registerCsiHandler(sequence, ([count]) => Number(count) > MOST);
  }
}

/** Only http and https reach the handler (xterm's own rule); it asks first. */
function links(events: ScreenEvents): NonNullable<ITerminalOptions["linkHandler"]> {
  return { activate: (_event, address) => events.link(address), allowNonHttpProtocols: false };
}

function marks() {
  const token = (name: string) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return {
    matchBackground: token("--term-match"),
    activeMatchBackground: token("--term-match-active"),
    matchOverviewRuler: token("--term-match"),
    activeMatchColorOverviewRuler: token("--term-match-active"),
  };
}
