import { act, configure, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { renderEditor } from "../../app/testing";
import { drawing } from "../../doc/testing";
import { Stream } from "../../net/frames";
import type { WireRow } from "../../packets/index";
import { Dock } from "./Dock";

// Generous: they are deadlines, and the machine may be busy.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

const ROWS: WireRow[] = Array.from({ length: 40 }, (_, at) => [
  at + 1,
  1_000 + at / 10,
  "l1",
  at % 2 === 0 ? "ab" : "ba",
  100 + Math.floor(at / 2),
  at % 4 === 0 ? "ARP" : "ICMP",
  "10.0.0.1",
  "10.0.0.2",
  `frame ${at + 1}`,
  60,
  "",
]);

/** A frame of which only the TTL differs from packet to packet. */
function decoded(number: number) {
  const ttl = number % 2 === 0 ? "63" : "64";
  const field = (name: string, value: string, start: number, end: number) => ({
    name,
    label: name,
    value,
    start,
    end,
    fields: [],
  });
  return {
    row: ROWS[number - 1],
    hex: `0102030405060708${ttl === "63" ? "3f" : "40"}01`,
    layers: [
      { protocol: "Ethernet", start: 0, end: 4, summary: "", fields: [field("type", "x", 0, 4)] },
      {
        protocol: "IPv4",
        start: 4,
        end: 10,
        summary: "a to b",
        fields: [field("ttl", ttl, 8, 9), field("checksum", "same", 9, 10)],
      },
    ],
  };
}

let close = () => {};

function open() {
  const panel = { current: null };
  const made = renderEditor(<Dock labId={1} panel={panel} />, drawing(), { running: true });
  vi.spyOn(made.editor.session.api, "packet").mockImplementation(async (number) => {
    return decoded(number);
  });
  close = made.close;
  act(() => {
    made.lab.socket.data(Stream.packets, { gap: 3, lost: 1, tier: "afpacket", rows: ROWS });
  });
  return made;
}

beforeEach(() => {
  localStorage.clear();
});
afterEach(() => {
  close();
  vi.restoreAllMocks();
});

const pickedRow = () => screen.getByRole("row", { selected: true });

it("lists the packets with their cable's ends, and says what is missing", async () => {
  open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("41"));
  expect(within(grid).getByRole("row", { name: /40.*sw1→h1.*frame 40/ })).toBeTruthy();
  expect(screen.getByText("3 packets not listed")).toBeTruthy();
  expect(screen.getByText("1 packet lost in capture")).toBeTruthy();
});

it("walks the grid by keys, highlights the packet on the canvas and shows its fields", async () => {
  const { editor, user } = open();
  const highlight = vi.fn();
  editor.scene = { highlightPacket: highlight } as unknown as NonNullable<typeof editor.scene>;
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("41"));
  act(() => grid.focus());
  await user.keyboard("{End}{ArrowUp}{ArrowUp}{ArrowDown}");
  expect(pickedRow().getAttribute("aria-rowindex")).toBe("40");
  expect(grid.getAttribute("aria-activedescendant")).toBe(pickedRow().id);
  expect(highlight).toHaveBeenLastCalledWith(119, ["l1"]);
  expect(editor.ui.getState().pickedPacket).toBe(39);
  await user.keyboard("{ArrowDown}");
  // Packet 40 is packet 39 one hop on: the TTL went from 64 to 63.
  expect(await screen.findByText("Δ was 64 at h1→sw1")).toBeTruthy();
  expect(screen.getByRole("row", { name: /39.*same packet/ })).toBeTruthy();
  await user.keyboard("{Enter}");
  const tree = screen.getByRole("tree", { name: "Fields of the packet" });
  expect(document.activeElement).toBe(tree);
  await user.keyboard("{End}{ArrowUp}");
  const ttl = within(tree).getByRole("treeitem", { selected: true });
  expect(ttl.textContent).toContain("63");
  const marked = [...document.querySelectorAll<HTMLElement>(".hex-bytes .on")];
  expect(marked.map((byte) => byte.textContent)).toEqual(["3f"]);
});

it("chooses the innermost field of a byte that is clicked, and opens what hides it", async () => {
  const { user } = open();
  await user.click(await screen.findByRole("row", { name: /frame 40/ }));
  const bytes = await screen.findByRole("group", { name: "10 bytes" });
  await user.click(within(bytes).getByText("01", { selector: "[data-at='0']" }));
  const ethernet = screen.getByRole("treeitem", { name: /Ethernet/ });
  expect(ethernet.getAttribute("aria-expanded")).toBe("true");
  expect(screen.getByRole("treeitem", { selected: true }).textContent).toContain("type");
});

it("filters by protocol, and offers a way back from nothing", async () => {
  const { user } = open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await user.click(await screen.findByRole("button", { name: "ARP" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("11"));
  await user.type(screen.getByRole("searchbox"), "no such thing");
  await user.click(await screen.findByRole("button", { name: "Clear the filter" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("41"));
});

it("holds still once a row is chosen, and tells of newer packets", async () => {
  const { lab, user } = open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await user.click(await screen.findByRole("row", { name: /frame 40/ }));
  const late: WireRow = [41, 1_005, "l1", "ab", 200, "TCP", "a", "b", "late", 60, ""];
  act(() => lab.socket.data(Stream.packets, { gap: 0, lost: 0, tier: "", rows: [late] }));
  await user.click(await screen.findByRole("button", { name: "1 newer packet" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("42"));
});

it("narrows the list by the brush's edges, and goes back to live", async () => {
  const { user } = open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("41"));
  const until = screen.getByRole("slider", { name: "Show packets until" });
  expect(until.getAttribute("aria-valuetext")).toBe("now");
  act(() => until.focus());
  await user.keyboard("{ArrowLeft}{ArrowLeft}{ArrowLeft}{ArrowLeft}");
  await waitFor(() => expect(Number(grid.getAttribute("aria-rowcount"))).toBeLessThan(41));
  expect(Number(grid.getAttribute("aria-rowcount"))).toBeGreaterThan(1);
  await user.click(screen.getByRole("button", { name: "Live now" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("41"));
});

it("freezes list and canvas, and gives what waited when it goes on", async () => {
  const { editor, lab, user } = open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("41"));
  await user.click(screen.getByRole("button", { name: "Pause" }));
  expect(editor.session.facts.getState().packetsPaused).toBe(true);
  const late: WireRow = [41, 1_005, "l1", "ab", 200, "TCP", "a", "b", "late", 60, ""];
  act(() => lab.socket.data(Stream.packets, { gap: 0, lost: 0, tier: "", rows: [late] }));
  expect(editor.session.packets.store.all().length).toBe(40);
  await user.click(screen.getByRole("button", { name: "Play" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("42"));
});

it("has problems and plan in the same tab bar, by keyboard", async () => {
  const { editor, user } = open();
  act(() => {
    const problem = {
      code: "x",
      path: "/nodes/n1",
      message: "is odd",
      hint: "mend it",
      severity: "error" as const,
    };
    editor.session.facts.setState({ problems: [problem] });
    editor.ui.setState({ problemsOpen: true });
  });
  expect(screen.getByRole("tab", { selected: true }).textContent).toContain("Problems");
  await user.click(screen.getByRole("button", { name: /h1.*is odd/ }));
  expect([...editor.selection]).toEqual(["n1"]);
  act(() => screen.getByRole("tab", { selected: true }).focus());
  await user.keyboard("{ArrowRight}");
  expect(screen.getByRole("tab", { selected: true }).textContent).toBe("Plan");
  expect(editor.ui.getState().problemsOpen).toBe(false);
  expect(await screen.findByText("Nothing to do: the kernel is as drawn.")).toBeTruthy();
});
