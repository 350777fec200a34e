import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { renderEditor } from "../app/testing";
import { copy, paste, readClip } from "../doc/clipboard";
import { Deriver } from "../doc/derive";
import { predict } from "../doc/ops";
import { drawing } from "../doc/testing";
import { score } from "../ui/fuzzy";
import { ACTIONS, action } from "./registry";
import { actionFor, formatKeys, matches, perform } from "./shortcuts";
import { importText } from "./transfer";

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  code: "",
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  target: document.body,
  ...more,
});

describe("shortcuts", () => {
  it("match key and modifiers exactly", () => {
    expect(matches(press("z", { ctrlKey: true }), "mod+z")).toBe(true);
    expect(matches(press("z", { ctrlKey: true, shiftKey: true }), "mod+z")).toBe(false);
    expect(matches(press("Z", { ctrlKey: true, shiftKey: true }), "mod+shift+z")).toBe(true);
    expect(matches(press("!", { code: "Digit1", shiftKey: true }), "shift+1")).toBe(true);
    expect(matches(press("?", { shiftKey: true }), "?")).toBe(true);
    expect(formatKeys("mod+shift+z")).toBe("Ctrl+Shift+Z");
  });

  it("leave typing alone", () => {
    const input = document.createElement("input");
    document.body.append(input);
    expect(actionFor(press("h", { target: input }), ACTIONS)).toBeNull();
    expect(actionFor(press("z", { ctrlKey: true, target: input }), ACTIONS)).toBeNull();
    expect(actionFor(press("k", { ctrlKey: true, target: input }), ACTIONS)?.id).toBe("command");
    expect(actionFor(press("h"), ACTIONS)?.id).toBe("add.host");
    input.remove();
  });

  it("are not given twice in one scope", () => {
    const keys = ACTIONS.flatMap((one) => one.keys ?? []);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("actions", () => {
  let page: ReturnType<typeof renderEditor>;
  beforeEach(() => {
    page = renderEditor(null, drawing());
  });
  afterEach(() => page.close());

  it("say why they cannot be used", () => {
    const { editor } = page;
    expect(action("undo").disabled?.(editor)).toBe("reasons.undo");
    expect(action("remove").disabled?.(editor)).toBe("reasons.selection");
    expect(action("stop").disabled?.(editor)).toBe("reasons.notRunning");
    editor.session.facts.setState({
      problems: [{ code: "x", path: "", message: "", hint: "", severity: "error" }],
    });
    expect(action("run").disabled?.(editor)).toBe("reasons.problems");
  });

  it("duplicate nodes with the cable between them, under new names", () => {
    const { editor } = page;
    editor.select(["n1", "n2"]);
    perform(editor, action("duplicate"));
    const names = Object.values(editor.topology.nodes).map((node) => node.name);
    expect(names.sort()).toEqual(["h1", "h2", "sw1", "sw2"]);
    expect(Object.keys(editor.topology.links)).toHaveLength(2);
    expect(editor.selection.size).toBe(2);
    perform(editor, action("undo"));
    expect(editor.topology).toEqual(drawing());
  });

  it("connect two selected nodes at once", () => {
    const { editor } = page;
    editor.select(["n1", "n2"]);
    perform(editor, action("connect"));
    expect(Object.keys(editor.topology.links)).toHaveLength(2);
  });

  it("ping from one selected node to the other", async () => {
    const { editor, lab } = page;
    editor.session.facts.setState(({ lab }) => ({ lab: { ...lab, running: true } }));
    editor.select(["n1", "n2"]);
    perform(editor, action("probe"));
    await vi.waitFor(() =>
      expect(lab.calls.at(-1)?.body).toEqual({ kind: "ping", source: "n1", target: "n2" }),
    );
    await vi.waitFor(() => expect(editor.session.facts.getState().probes).toHaveLength(1));
  });

  it("import a drawing as one step, and refuse other files", () => {
    const { editor } = page;
    importText(editor, "[]");
    expect(editor.topology).toEqual(drawing());
    const document = {
      format: "topoweb",
      version: 1,
      name: "new",
      nodes: { a: { kind: "host", name: "a" } },
    };
    importText(editor, JSON.stringify(document));
    expect(editor.topology.nodes).toMatchObject({ a: { name: "a", ageing: 300 } });
    perform(editor, action("undo"));
    expect(editor.topology).toEqual(drawing());
  });
});

describe("clipboard", () => {
  it("survives another tab and leaves cables to the outside behind", () => {
    const clip = copy(drawing(), new Set(["n1"]));
    const again = clip && readClip(JSON.stringify(clip));
    expect(again).toMatchObject(clip ?? {});
    expect(Object.keys(again?.content.links ?? {})).toEqual([]);
    const pasted = again && paste(drawing(), again, { x: 10, y: 0 });
    const after = pasted ? predict(drawing(), pasted.operation).topology : null;
    expect(Object.values(after?.nodes ?? {}).map((node) => node.name)).toEqual(["h1", "sw1", "h2"]);
    expect(readClip("hello")).toBeNull();
  });
});

describe("fuzzy search", () => {
  it("needs the letters in order and prefers starts of words", () => {
    expect(score("xz", "export")).toBeNull();
    expect(score("as", "Add switch") ?? 0).toBeGreaterThan(score("as", "mast host") ?? 0);
  });
});

describe("Deriver", () => {
  it("gives the same values for what did not change", () => {
    const deriver = new Deriver();
    const live = {
      running: false,
      stale: false,
      node: () => undefined,
      link: () => undefined,
      warningAt: () => undefined,
    };
    const before = drawing();
    const one = deriver.content(before, live, new Map());
    const moved = predict(before, { kind: "set", collection: "nodes", id: "n1", patch: { x: 9 } });
    const two = deriver.content(moved.topology, live, new Map());
    expect(two.nodes.find((node) => node.id === "n1")).toMatchObject({ x: 9, label: "10.0.0.1" });
    expect(two.nodes.find((node) => node.id === "n2")).toBe(
      one.nodes.find((node) => node.id === "n2"),
    );
    expect(two.links[0]).toBe(one.links[0]);
  });

  it("shows planned, blocked and drawn-off states", () => {
    const deriver = new Deriver();
    const view = {
      running: true,
      stale: false,
      node: () => undefined,
      link: () => ({ state: "blocked" as const, rate_ab: 6e6, rate_ba: 8e5, pps_ab: 0, pps_ba: 0 }),
      warningAt: () => undefined,
    };
    const content = deriver.content(drawing(), view, new Map([["n1", "error"]]));
    expect(content.nodes.map((node) => node.state)).toEqual(["planned", "planned"]);
    expect(content.nodes.find((node) => node.id === "n1")?.problem).toBe("error");
    expect(content.links[0]).toMatchObject({ state: "blocked", rateLabel: "6.8 Mb/s" });
  });
});
