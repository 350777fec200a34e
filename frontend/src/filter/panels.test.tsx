import { act, configure, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { renderEditor } from "../app/testing";
import { emptyTopology, makeInterface, makeLink, makeNode } from "../doc/defaults";
import { Stream } from "../net/frames";
import { Dock } from "../panels/dock/Dock";
import { addWords } from "./words";

// Generous: they are deadlines, and the machine may be busy.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

let close = () => {};
beforeEach(() => localStorage.clear());
afterEach(() => close());

function topology() {
  const drawn = emptyTopology("two");
  drawn.nodes.h1 = makeNode("host", "h1", 0, 0);
  drawn.nodes.h2 = makeNode("host", "h2", 100, 0);
  drawn.interfaces.i1 = makeInterface("h1", "eth0");
  drawn.interfaces.i2 = makeInterface("h2", "eth0");
  drawn.links.l1 = makeLink("i1", "i2");
  return drawn;
}

const FINE = { ok: true, error: null, fields: [], late: false };
const WRONG = {
  ok: false,
  fields: [],
  late: false,
  error: {
    code: "filter-unknown-field",
    position: 0,
    length: 6,
    text: { en: "There is no field ip.adr.", "zh-CN": "没有字段 ip.adr。" },
    hint: { en: "Did you mean ip.addr?", "zh-CN": "" },
    suggestions: ["ip.addr"],
  },
};
const FIELDS = {
  fields: [
    {
      name: "ip.ttl",
      kind: "number",
      text: { en: "Time to live" },
      example: "",
      values: [],
      operators: ["=="],
    },
    {
      name: "icmp",
      kind: "protocol",
      text: { en: "ICMP" },
      example: "",
      values: [],
      operators: [],
    },
  ],
  operators: [],
};
const asked = (expression: string) =>
  `GET /filters/check?lab=1&expression=${encodeURIComponent(expression)}`;

function open() {
  const made = renderEditor(<Dock labId={1} panel={{ current: null }} />, topology(), {
    running: true,
    answers: {
      "GET /filters/fields": () => FIELDS,
      [asked("ip.adr == 1")]: () => WRONG,
      [asked("icmp")]: () => FINE,
      [asked("ip.ttl ")]: () => FINE,
    },
  });
  close = made.close;
  addWords(); // each test begins with texts of its own
  const rows = [1, 2].map((number) => [
    number,
    100 + number,
    "l1",
    "ab",
    number,
    "ICMP",
    "10.0.0.1",
    "10.0.0.2",
    `echo ${number}`,
    98,
    "",
  ]);
  const packets = (payload: object) =>
    act(() => made.lab.socket.data(Stream.packets, { gap: 0, lost: 0, tier: "bpf", ...payload }));
  packets({ rows, kept: true });
  return { ...made, packets, rows };
}

const box = () => screen.findByRole("combobox", { name: "Display filter" }, { timeout: 5_000 });

it("says what is wrong with a filter, and where, before it is applied", async () => {
  const { user, lab } = open();
  await user.type(await box(), "ip.adr == 1");
  expect(await screen.findByText(/There is no field ip\.adr/)).toBeTruthy();
  expect(screen.getByText("ip.adr", { selector: "mark" })).toBeTruthy();
  expect((await box()).getAttribute("aria-invalid")).toBe("true");
  const before = lab.socket.sent.length;
  await user.keyboard("{Enter}");
  expect(lab.socket.sent.slice(before).filter(({ type }) => type === "open")).toEqual([]);
});

it("suggests fields, and asks the server for what the filter lets through", async () => {
  const { user, lab, packets, rows } = open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("3"));
  await user.type(await box(), "ttl");
  const list = await screen.findByRole("listbox", { name: "Suggestions" });
  expect(within(list).getAllByRole("option")).toHaveLength(1);
  await user.keyboard("{ArrowDown}{Tab}");
  expect(((await box()) as HTMLInputElement).value).toBe("ip.ttl ");
  await user.clear(await box());
  await user.type(await box(), "icmp{Enter}");
  await waitFor(() =>
    expect(lab.socket.sent.at(-1)).toEqual({
      type: "open",
      stream: "packets",
      params: { backlog: 500, filter: "icmp" },
    }),
  );
  expect(lab.socket.sent.at(-2)).toEqual({ type: "close", stream: "packets" });
  // What still comes of the stream before is not in the list.
  packets({ rows: [[3, 103, "l1", "ab", 3, "ARP", "a", "b", "late", 60, ""]] });
  packets({ rows: rows.slice(1), kept: true });
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("2"));
  // It is found again among the recent ones, and Escape takes it away.
  await user.click(await screen.findByRole("button", { name: "Clear the filter" }));
  expect(lab.socket.sent.at(-1)).toMatchObject({ params: { backlog: 500 } });
  await user.click(await box());
  expect(await screen.findByRole("option", { name: "icmp" })).toBeTruthy();
});

it("filters by what stands in a row, by its menu", async () => {
  const { user, lab, editor } = open();
  const line = await screen.findByRole("row", { name: /echo 1/ });
  await box();
  await user.pointer({ target: line, keys: "[MouseRight]" });
  await user.click(
    await screen.findByRole("menuitem", { name: "Hide ip.addr == 10.0.0.2" }, { timeout: 5_000 }),
  );
  expect(lab.socket.sent.at(-1)).toMatchObject({
    params: { filter: "!(ip.addr == 10.0.0.2)" },
  });
  expect(editor.ui.getState().pickedPacket).toBe(null);
});

it("shows one packet alone, until all are wanted again", async () => {
  const { user } = open();
  const grid = await screen.findByRole("grid", { name: "Packets" });
  const line = await screen.findByRole("row", { name: /echo 2/ });
  await box();
  await user.pointer({ target: line, keys: "[MouseRight]" });
  await user.click(await screen.findByRole("menuitem", { name: "Only this packet" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("2"));
  expect(screen.getByText("Only packet 2")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Show all packets" }));
  await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("3"));
});
