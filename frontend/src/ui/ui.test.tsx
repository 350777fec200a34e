import { act, configure, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { prefetch } from "../app/prefetch";
import { renderEditor } from "../app/testing";
import { drawing, settle } from "../doc/testing";
import { ActionMenu } from "./ActionMenu";
import { TabList, TabPanel } from "./Tabs";

// Generous: they are deadlines, and the machine may be busy.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

const TABS = [
  ["one", "One"],
  ["two", "Two"],
  ["three", "Three"],
] as const;

function Book() {
  const [selected, setSelected] = useState<"one" | "two" | "three">("one");
  return (
    <>
      <TabList id="book" label="Book" tabs={TABS} selected={selected} onSelect={setSelected} />
      <TabPanel id="book" selected={selected} reading>
        page {selected}
      </TabPanel>
    </>
  );
}

describe("tabs", () => {
  it("are chosen by arrows, Home and End, and the panel has the tab's name", async () => {
    const user = userEvent.setup();
    const { unmount } = render(<Book />);
    await user.tab();
    const chosen = () => screen.getByRole("tab", { selected: true }).textContent;
    const walk: [string, string][] = [
      ["{ArrowRight}", "Two"],
      ["{End}", "Three"],
      ["{ArrowRight}", "One"],
      ["{ArrowLeft}", "Three"],
      ["{Home}", "One"],
    ];
    for (const [key, tab] of walk) {
      await user.keyboard(key);
      expect(chosen()).toBe(tab);
      expect(document.activeElement?.textContent).toBe(tab);
      expect(screen.getByRole("tabpanel", { name: tab }).textContent).toContain(tab.toLowerCase());
    }
    await user.tab(); // one stop for all tabs
    expect(document.activeElement?.getAttribute("role")).toBe("tabpanel");
    unmount();
  });
});

describe("a menu of actions", () => {
  it("takes the focus when opened by key, gives it back, and says what cannot be done", async () => {
    const page = renderEditor(
      <ActionMenu label="Menu" icon="more" ids={["selectAll", "-", "copy"]} />,
      drawing(),
    );
    const button = screen.getByRole("button", { name: "Menu" });
    button.focus();
    await page.user.keyboard("{ArrowDown}");
    const menu = await screen.findByRole("menu", { name: "Menu" });
    const over = menu.closest("[role=dialog]");
    await waitFor(() => expect(over?.contains(document.activeElement)).toBe(true));
    expect(button.getAttribute("aria-expanded")).toBe("true");
    const copy = screen.getByRole("menuitem", { name: /^Copy/ });
    expect(copy.getAttribute("aria-disabled")).toBe("true");
    await page.user.keyboard("{Escape}");
    await waitFor(() => expect(document.activeElement).toBe(button));
    await page.user.click(button);
    await page.user.click(await screen.findByRole("menuitem", { name: /^Select all/ }));
    await waitFor(() => expect(page.editor.selection.size).toBeGreaterThan(1));
    page.close();
  });
});

describe("prefetch", () => {
  it("loads one after the other while nothing else is to do, and can be stopped", async () => {
    vi.useFakeTimers();
    const loads = [vi.fn(async () => {}), vi.fn(async () => {}), vi.fn(async () => {})];
    const stop = prefetch(loads);
    const turn = () =>
      act(async () => {
        vi.runOnlyPendingTimers();
        await settle();
      });
    const called = () => loads.map((load) => load.mock.calls.length);
    expect(called()).toEqual([0, 0, 0]);
    await turn();
    expect(called()).toEqual([1, 0, 0]);
    await turn();
    expect(called()).toEqual([1, 1, 0]);
    stop();
    await turn();
    expect(called()).toEqual([1, 1, 0]);
    vi.useRealTimers();
  });
});
