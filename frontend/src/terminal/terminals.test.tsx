import { act, configure, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ACTIONS, action } from "../actions/registry";
import { actionFor, perform } from "../actions/shortcuts";
import { renderEditor } from "../app/testing";
import { drawing } from "../doc/testing";
import { Stream } from "../net/frames";
import { FakeSocket } from "../net/mockServer";
import { Dock } from "../panels/dock/Dock";
import { Terminals } from "./terminals";

configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

/** xterm needs a real page: tests/browser has it. This one has a field to type into, that is all. */
vi.mock("./xtermScreen", () => ({
  XtermScreen: class {
    readonly columns = 80;
    readonly rows = 24;
    readonly selection = "";
    private field = document.createElement("textarea");
    attach(host: HTMLElement, label: string) {
      this.field.setAttribute("aria-label", label);
      host.append(this.field);
    }
    detach() {
      this.field.remove();
    }
    focus() {
      this.field.focus();
    }
    write(_bytes: Uint8Array, done?: () => void) {
      done?.();
    }
    resize() {}
    setWritable() {}
    setFocused() {}
    set() {}
    repaint() {}
    find() {}
    dispose() {
      this.detach();
    }
  },
}));

const KEY = "topoweb.terminals.1";
const LIVE_NODE = {
  present: true,
  forward_ipv4: false,
  forward_ipv6: false,
  interfaces: {},
  routes: [],
  neighbours: [],
  fdb: [],
  drift: [],
};

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  FakeSocket.all = [];
});

describe("the open terminals", () => {
  it("are one a node unless more are asked for", () => {
    const terminals = new Terminals(KEY);
    terminals.open("n1");
    terminals.open("n2");
    terminals.open("n1");
    terminals.add("n1");
    const { tabs, panes } = terminals.state.getState();
    expect(Object.values(panes).map((pane) => pane.node)).toEqual(["n1", "n2", "n1"]);
    expect(terminals.activeTab).toBe(tabs[2]);
  });

  it("give the keyboard to what is new, and to a neighbour of what was closed", () => {
    const terminals = new Terminals(KEY);
    terminals.open("n1");
    const first = terminals.focused ?? "";
    terminals.split("row");
    const second = terminals.focused ?? "";
    expect(terminals.takesFocus(first)).toBe(false);
    expect(terminals.takesFocus(second)).toBe(true);
    expect(terminals.takesFocus(second)).toBe(false);
    terminals.go("left");
    expect(terminals.focused).toBe(first);
    terminals.go("left");
    expect(terminals.focused).toBe(first);
    terminals.close();
    expect(terminals.focused).toBe(second);
    terminals.close();
    expect(terminals.state.getState()).toMatchObject({ tabs: [], active: null, panes: {} });
  });

  it("are the same after a reload, with the server's ids", () => {
    const before = new Terminals(KEY);
    before.open("n1");
    before.split("column");
    before.setTerminal(before.focused ?? "", "t7");
    const after = new Terminals(KEY);
    expect(after.state.getState()).toEqual(before.state.getState());
    expect(new Terminals("another lab").state.getState().tabs).toEqual([]);
    sessionStorage.setItem(KEY, "{broken");
    expect(new Terminals(KEY).state.getState().tabs).toEqual([]);
  });
});

describe("the actions", () => {
  let page: ReturnType<typeof renderEditor>;
  const why = () => action("terminal.open").disabled?.(page.editor) ?? null;
  beforeEach(() => {
    page = renderEditor(null, drawing(), { running: true });
  });
  afterEach(() => page.close());

  it("say why there is no terminal", () => {
    const { editor, lab } = page;
    expect(why()).toBe("reasons.node");
    editor.select(["n1"]);
    expect(why()).toBe("reasons.notPresent");
    lab.socket.data(Stream.live, {
      rev: 1,
      full: true,
      time: 0,
      nodes: { n1: LIVE_NODE },
      links: {},
    });
    expect(why()).toBeNull();
    editor.session.facts.setState({ features: { sandbox: { ok: false, reason: "no crun" } } });
    expect(why()).toBe("reasons.sandbox");
    editor.session.facts.setState(({ lab }) => ({
      features: {},
      lab: { ...lab, running: false },
    }));
    expect(why()).toBe("reasons.notRunning");
  });

  it("leave the program its keys, and have their own beside it", () => {
    const host = document.createElement("div");
    host.innerHTML =
      "<div data-terminal><button></button><div data-terminal-keys><textarea></textarea></div></div>";
    document.body.append(host);
    const press = (target: Element | null, key: string, shift: boolean) =>
      actionFor(
        {
          key,
          code: "",
          ctrlKey: true,
          metaKey: false,
          shiftKey: shift,
          altKey: false,
          target,
        },
        ACTIONS,
      )?.id ?? null;
    const program = host.querySelector("textarea");
    expect(press(program, "k", false)).toBeNull();
    expect(press(program, "Enter", false)).toBeNull();
    expect(press(program, "P", true)).toBeNull();
    expect(press(program, "C", true)).toBe("terminal.copy");
    expect(press(program, "ArrowLeft", true)).toBe("terminal.left");
    expect(press(program, "L", true)).toBe("terminal.go");
    const button = host.querySelector("button");
    expect(press(button, "E", true)).toBe("terminal.splitRight");
    expect(press(button, "k", false)).toBe("command");
    expect(press(document.body, "E", true)).toBeNull();
    expect(press(document.body, "L", true)).toBe("terminal.go");
    host.remove();
  });
});

describe("the dock", () => {
  let page: ReturnType<typeof renderEditor>;
  beforeEach(() => {
    page = renderEditor(<Dock labId={1} panel={{ current: null }} />, drawing(), { running: true });
  });
  afterEach(() => page.close());
  const socket = () => FakeSocket.all.find(({ url }) => url.endsWith("/terminal"));

  it("shows a terminal beside the packets, by name, and what became of it", async () => {
    const { editor } = page;
    expect(socket()).toBeUndefined();
    act(() => editor.terminals.open("n1"));
    await screen.findByRole("region", { name: "Terminals" });
    expect(await screen.findByRole("tab", { name: /^h1/ })).toBeTruthy();
    expect(screen.getByRole("tab", { name: /Packets/ })).toBeTruthy();
    await screen.findByRole("textbox", { name: /Terminal on h1\. Ctrl\+Shift\+L leaves it/ });
    act(() => {
      socket()?.open();
      socket()?.fact({
        type: "opened",
        terminal: "t1",
        node: "n1",
        write: false,
        columns: 80,
        rows: 24,
        missed: 0,
        replay: 0,
      });
    });
    expect(await screen.findByText("Read only")).toBeTruthy();
    act(() => socket()?.fact({ type: "ended", status: 2, message: "Nobody looked." }));
    expect(
      await screen.findByText("The program has ended (status 2). Nobody looked."),
    ).toBeTruthy();
    const again = screen.getByRole("button", { name: "Open again" });
    expect(again.getAttribute("aria-disabled")).toBe("true"); // n1 is not in the kernel
    await page.user.click(screen.getByRole("button", { name: "Close" }));
    await waitFor(() => expect(screen.queryByRole("region", { name: "Terminals" })).toBeNull());
  });

  it("splits, and closes a tab with Delete", async () => {
    const { editor, user } = page;
    act(() => editor.terminals.open("n1"));
    await screen.findByRole("textbox", { name: /Terminal on h1/ });
    await user.click(screen.getByRole("button", { name: "Split right" }));
    expect(await screen.findByRole("region", { name: "Terminal on h1 2/2" })).toBeTruthy();
    expect(screen.getByRole("separator", { name: "Size of the panes" })).toBeTruthy();
    act(() => perform(editor, action("terminal.go")));
    act(() => editor.terminals.focusTabs());
    expect(document.activeElement?.getAttribute("role")).toBe("tab");
    await user.keyboard("{Delete}");
    expect(editor.terminals.state.getState().tabs).toEqual([]);
  });
});
