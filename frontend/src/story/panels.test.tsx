import { act, configure, screen, waitFor, within } from "@testing-library/react";
import { Suspense } from "react";
import { afterEach, expect, it, vi } from "vitest";
import { trace } from "../actions/story";
import type { HopTables, TableRow } from "../api/tables";
import { StoryBar, StoryList, StoryTables, StoryTime, StoryVerdict } from "../app/stories";
import { renderEditor } from "../app/testing";
import { Stream } from "../net/frames";
import { storyOf } from "./model";
import { EXCHANGE, hop, STEPS, TRACE, threeNodes, VERDICT } from "./testing";
import { addWords } from "./words";

// Generous: they are deadlines, and the machine may be busy.
configure({ asyncUtilTimeout: 5_000 });
vi.setConfig({ testTimeout: 30_000 });

let close = () => {};
afterEach(() => close());

const REQUEST = { source: "host", target: "net2", protocol: "icmp", port: null } as const;

function open(answers: Record<string, () => unknown> = {}) {
  const made = renderEditor(
    <Suspense>
      <StoryBar />
      <StoryList />
      <StoryVerdict />
      <StoryTime />
      <StoryTables />
    </Suspense>,
    threeNodes(),
    { running: true, answers },
  );
  close = made.close;
  addWords(); // each test begins the language anew
  const say = (message: object) => act(() => made.lab.socket.data(Stream.trace, message));
  return { ...made, say };
}

/** A trace of one packet, from the dry run to the verdict. */
function told(mended: object | null = null) {
  const made = open();
  act(() => trace(made.editor, REQUEST));
  storyOf(made.editor);
  made.say({ type: "dry", steps: STEPS, verdict: VERDICT, tier: "bpf" });
  made.say({ type: "armed" });
  made.say({ type: "trace", trace: { ...TRACE, hops: TRACE.hops.slice(0, 2) } });
  made.say({ type: "trace", trace: TRACE });
  const judged = { exchange: EXCHANGE, verdict: VERDICT, agree: true, differs: null };
  made.say({ type: "verdict", ...judged, mended });
  return made;
}

it("asks for a trace and tells it: sentence, hops, what changed, dry run beside reality", async () => {
  const { lab } = told();
  expect(lab.socket.sent).toContainEqual({ type: "open", stream: "trace", params: REQUEST });
  expect(await screen.findByText("net2 has no route back.")).toBeTruthy();
  const headers = screen.getByRole("region", { name: "What changed at each hop" });
  expect(within(headers).getAllByRole("columnheader")).toHaveLength(5);
  const ttl = within(headers).getByRole("row", { name: /^IPv4 ttl/ });
  expect(ttl.querySelectorAll("mark")).toHaveLength(1);
  const steps = screen.getByRole("region", { name: "Dry run versus reality" });
  expect(within(steps).getByText("✓ they agree")).toBeTruthy();
  expect(within(steps).getAllByRole("row")).toHaveLength(5);
});

const TABLES: HopTables = {
  packet: 7,
  hop: 3,
  node: "net2",
  interface: "veth1",
  time: 100,
  exact: true,
  as_of: 100,
  tables: {
    interfaces: [],
    addresses: [row({ interface: "veth1", address: "10.20.2.2/24" })],
    forwarding: [],
    routes: [
      row({ prefix: "10.20.2.0/24", interface: "veth1" }),
      row({ prefix: "10.20.9.0/24", interface: "veth1", change: "gone", near: true }),
    ],
    neighbours: [
      row({
        address: "10.20.2.1",
        mac: "02:01",
        interface: "veth1",
        state: "stale",
        change: "changed",
        now: { address: "10.20.2.1", mac: "02:01", interface: "veth1", state: "reachable" },
      }),
    ],
    fdb: [],
  },
  conntrack: { as_of: 200, rows: [] },
};

function row(fields: Record<string, unknown>): TableRow {
  return { change: "same", now: null, changed_at: null, near: false, ...fields };
}

it("shows what the node held then, and what became of it", async () => {
  const { user, editor } = told();
  const asked = vi.spyOn(editor.session.api, "tables").mockResolvedValue(TABLES);
  await user.click(await screen.findByRole("tab", { name: "Tables of net2 then" }));
  const routes = await screen.findByRole("table", { name: "Routes" });
  expect(asked).toHaveBeenCalledWith(7, 3);
  expect(within(routes).getByRole("row", { name: /10\.20\.9\.0.*✕ gone \(at about/ })).toBeTruthy();
  const neighbours = screen.getByRole("table", { name: /^Neighbours/ });
  expect(within(neighbours).getByRole("row", { name: /stale Δ now reachable/ })).toBeTruthy();
  // The hop before is at another node.
  await user.click(screen.getByRole("slider", { name: "The packet’s way in time" }));
  await user.keyboard("{ArrowLeft}");
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith(7, 2));
});

it("zooms in time by keys, follows the hop that is looked at, and shows all again", async () => {
  const { user, editor } = told();
  const { state } = storyOf(editor);
  act(() => screen.getByRole("slider", { name: "The packet’s way in time" }).focus());
  await user.keyboard("+++");
  const window = state.getState().window;
  expect(window && window.to - window.from).toBeLessThan(6_000);
  expect(window?.to).toBeGreaterThan(40_300);
  await user.keyboard("{Home}");
  expect(state.getState().window?.from).toBe(0);
  await user.keyboard("0");
  expect(state.getState().window).toBeNull();
});

it("tells what the remedy would lead to, beside the dry run as things are", async () => {
  const back = { ...STEPS[0], node: "net2", action: "reply", leg: "back" };
  const verdict = { ...VERDICT, kind: "delivered", text: { en: "The packet arrived." } };
  told({ steps: [...STEPS.slice(0, -1), back], verdict });
  expect(await screen.findByText(/The dry run with it: The packet arrived\./)).toBeTruthy();
  const steps = screen.getByRole("region", { name: "Dry run versus reality" });
  expect(within(steps).getByRole("columnheader", { name: "+ With the remedy" })).toBeTruthy();
  expect(within(steps).getByRole("row", { name: /^net2 replies – not reached/ })).toBeTruthy();
});

it("does not send the packet again when the connection was lost", () => {
  const { lab } = told();
  const before = lab.socket.sent.length;
  act(() => lab.socket.open());
  const again = lab.socket.sent.slice(before).map(({ stream }) => stream);
  expect(again).toEqual(["live", "packets"]);
});

it("is stepped through by keyboard", async () => {
  const { user, editor } = told();
  const line = await screen.findByRole("slider", { name: "The packet’s way in time" });
  expect(line.getAttribute("aria-valuenow")).toBe("4");
  act(() => line.focus());
  await user.keyboard("{ArrowLeft}{ArrowLeft}");
  expect(line.getAttribute("aria-valuetext")).toContain("Hop 2 of 4: veth2 in at net1");
  await user.keyboard("{Home}");
  expect(storyOf(editor).state.getState().at).toBe(0);
  await user.keyboard("{End}");
  expect(line.getAttribute("aria-valuenow")).toBe("4");
});

it("shows where it went wrong, and leaves whoever steps where they are", () => {
  const drop = hop({ node: "net2", direction: "drop", time_ns: 50_000, parent: 3, link: "c1" });
  const later = hop({ node: "net1", direction: "rx", time_ns: 60_000, parent: 3, link: "c1" });
  const traced = { ...TRACE, hops: [...TRACE.hops, drop, later] };
  const said = {
    type: "verdict",
    exchange: EXCHANGE,
    verdict: VERDICT,
    agree: true,
    differs: null,
  };
  const { editor, say } = open();
  const model = storyOf(editor);
  for (const steps of [false, true]) {
    act(() => trace(editor, REQUEST));
    say({ type: "dry", steps: STEPS, verdict: VERDICT, tier: "bpf" });
    say({ type: "armed" });
    say({ type: "trace", trace: traced });
    if (steps) act(() => model.go(1));
    say(said);
    expect(model.state.getState().at).toBe(steps ? 1 : 4);
  }
});

it("applies the remedy as one change that can be undone, and traces again", async () => {
  const { user, editor, lab } = told();
  await user.click(await screen.findByRole("button", { name: "Apply to drawing" }));
  expect(editor.topology.routes.rb).toMatchObject({ node: "net2", via: "10.20.2.1" });
  await waitFor(() => expect(lab.server.log).toHaveLength(1));
  await user.click(await screen.findByRole("button", { name: "Send it once more" }));
  const opened = lab.socket.sent.filter(
    ({ type, stream }) => type === "open" && stream === "trace",
  );
  expect(opened).toHaveLength(2);
  act(() => editor.session.undo.undo());
  expect(editor.topology.routes.rb).toBeUndefined();
});

it("ignores what still comes of the trace before", () => {
  const { editor, say } = told();
  act(() => trace(editor, REQUEST));
  say({ type: "trace", trace: TRACE });
  expect(storyOf(editor).state.getState().stations).toEqual([]);
});

it("follows a packet that was seen, with the answer of its exchange", async () => {
  const exchange = { ...EXCHANGE, packets: [7, 8], replies: 1, state: "answered" };
  const answer = { ...TRACE, packet: 8, exchange, hops: TRACE.hops.slice(0, 2) };
  const { editor, lab } = open({
    "GET /labs/1/packets/7/trace": () => ({ ...TRACE, exchange, verdict: VERDICT }),
    "GET /labs/1/packets/8/trace": () => answer,
  });
  const row = (number: number, packet: number, source: string) =>
    [number, 100 + number / 1e3, "c2", "ba", packet, "ICMP", source, "x", "echo", 98, ""] as const;
  act(() =>
    lab.socket.data(Stream.packets, {
      gap: 0,
      lost: 0,
      tier: "bpf",
      rows: [row(1, 7, "10.20.3.2"), row(2, 8, "10.20.2.2")],
      ends: [
        {
          packet: 7,
          time: 100,
          node: "net2",
          interface: "veth1",
          link: "c1",
          direction: "ba",
          verdict: VERDICT,
        },
      ],
      exchanges: [exchange],
    }),
  );
  act(() => editor.ui.setState({ story: { kind: "packet", packet: 7 } }));
  storyOf(editor);
  expect(await screen.findByText("net2 has no route back.")).toBeTruthy();
  await waitFor(() => expect(storyOf(editor).state.getState().stations).toHaveLength(6));
  const list = screen.getByRole("region", { name: "Conversation" });
  expect(within(list).getByText(/answered · 1 request, 1 reply/)).toBeTruthy();
  expect(within(list).getByText(/✕ net2 has no route back/)).toBeTruthy();
});

it("says when a packet is no longer kept", async () => {
  const { editor } = open();
  act(() => editor.ui.setState({ story: { kind: "packet", packet: 99 } }));
  storyOf(editor);
  expect(await screen.findByText(/no longer kept/)).toBeTruthy();
});
