import { screen, waitFor, within } from "@testing-library/react";

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { renderEditor } from "../../app/testing";
import { makeGroup, makeNode } from "../../doc/defaults";
import { indexOf, peerOf } from "../../doc/graph";
import { drawing } from "../../doc/testing";
import { ConnectPrompt } from "../canvas/ConnectPrompt";
import { Inspector } from "../inspector/Inspector";
import { Outline } from "./Outline";

type Rendered = ReturnType<typeof renderEditor>;

/** h1 — sw1 — (nothing) r1, in a group with h1. */
function topology() {
  const drawn = drawing();
  drawn.nodes.n3 = makeNode("router", "r1", 500, 0);
  drawn.groups.g1 = { ...makeGroup("Campus", -100, -100), width: 200, height: 200 };
  return drawn;
}

/** What a row is called: its hidden text, as the visible parts are hidden from assistive tools. */
const nameOf = (row: Element) => row.querySelector(".hidden-text")?.textContent ?? "";
const tree = () => screen.getByRole("tree", { name: "Outline" });
const names = () =>
  within(tree())
    .getAllByRole("treeitem")
    .map((item) => nameOf(item).split(",")[0]);
const active = () => {
  const row = document.getElementById(tree().getAttribute("aria-activedescendant") ?? "");
  return row ? nameOf(row) : "";
};

describe("Outline by keyboard", () => {
  let page: Rendered;
  beforeEach(() => {
    page = renderEditor(
      <>
        <Outline />
        <ConnectPrompt />
        <Inspector />
      </>,
      topology(),
    );
    tree().focus();
  });
  afterEach(() => page.close());

  it("is a tree of groups, nodes and interfaces", async () => {
    expect(names()).toEqual(["Campus", "h1", "r1", "sw1"]);
    await page.user.keyboard("{ArrowDown}{ArrowRight}");
    expect(names()).toEqual(["Campus", "h1", "interface eth0", "r1", "sw1"]);
    const port = within(tree()).getByRole("treeitem", { name: /^interface eth0/ });
    expect(port.getAttribute("aria-level")).toBe("3");
    expect(nameOf(port)).toContain("to sw1:p1");
    await page.user.keyboard("{ArrowLeft}");
    expect(names()).toHaveLength(4);
    await page.user.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(names()).toEqual(["Campus", "r1", "sw1"]);
  });

  it("walks along cables and back", async () => {
    await page.user.keyboard("{ArrowDown}");
    expect(active()).toMatch(/^h1/);
    await page.user.keyboard("{Alt>}{ArrowRight}{/Alt}");
    expect(active()).toMatch(/^sw1/);
    await page.user.keyboard("{Alt>}{ArrowLeft}{/Alt}");
    expect(active()).toMatch(/^h1/);
  });

  it("selects with Space and toggles with Ctrl+Space", async () => {
    await page.user.keyboard("{ArrowDown} ");
    expect([...page.editor.selection]).toEqual(["n1"]);
    await page.user.keyboard("{End}{Control>} {/Control}");
    expect([...page.editor.selection]).toEqual(["n1", "n2"]);
  });

  it("goes to the inspector with Enter", async () => {
    await page.user.keyboard("{End}{Enter}");
    await waitFor(() =>
      expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Name" })),
    );
    expect(screen.getByRole("textbox", { name: "Name" })).toHaveProperty("value", "sw1");
  });

  it("connects by typing the target's name", async () => {
    await page.user.keyboard("{ArrowDown}c");
    const field = screen.getByRole("combobox", { name: "Connect h1 to" });
    expect(document.activeElement).toBe(field);
    await page.user.keyboard("r1{Enter}");
    const drawn = page.editor.topology;
    const ports = indexOf(drawn).interfacesOf.get("n1") ?? [];
    expect(ports.map((port) => peerOf(drawn, port)?.node)).toEqual(["n2", "n3"]);
    expect(document.activeElement).toBe(tree());
  });

  it("gives up a connection with Escape", async () => {
    await page.user.keyboard("{ArrowDown}c{Escape}");
    expect(screen.queryByRole("combobox")).toBeNull();
    expect(Object.keys(page.editor.topology.links)).toEqual(["l1"]);
  });

  it("renames with F2 and refuses a name in use", async () => {
    await page.user.keyboard("{ArrowDown}{F2}");
    await page.user.keyboard("{Control>}a{/Control}client{Enter}");
    expect(page.editor.topology.nodes.n1?.name).toBe("client");
    await page.user.keyboard("{F2}{Control>}a{/Control}sw1{Enter}");
    expect(page.editor.topology.nodes.n1?.name).toBe("client");
  });

  it("moves with Shift+arrows, and with arrows in move mode", async () => {
    await page.user.keyboard("{ArrowDown}{Shift>}{ArrowRight}{/Shift}");
    expect(page.editor.topology.nodes.n1?.x).toBe(10);
    await page.user.keyboard("m{ArrowDown}{ArrowDown}m{ArrowDown}");
    expect(page.editor.topology.nodes.n1?.y).toBe(20);
    expect(active()).toMatch(/^r1|^sw1/);
  });

  it("removes with Delete and takes it back with Ctrl+Z", async () => {
    await page.user.keyboard("{ArrowDown}{Delete}");
    expect(page.editor.topology.nodes.n1).toBeUndefined();
    expect(page.editor.topology.links).toEqual({});
    await page.user.keyboard("{Control>}z{/Control}");
    expect(page.editor.topology.nodes.n1?.name).toBe("h1");
    expect(Object.keys(page.editor.topology.links)).toEqual(["l1"]);
  });

  it("adds nodes by letter, each in a free place", async () => {
    await page.user.keyboard("hh");
    const { nodes } = page.editor.topology;
    const added = Object.values(nodes).filter((node) => node.kind === "host");
    expect(added.map((node) => node.name).sort()).toEqual(["h1", "h2", "h3"]);
    const places = new Set(Object.values(nodes).map(({ x, y }) => `${x},${y}`));
    expect(places.size).toBe(5);
  });
});
