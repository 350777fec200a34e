import { act } from "@testing-library/react";
import { createContext, Profiler, use } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeInterface, makeLink, makeNode } from "../doc/defaults";
import type { LiveNode } from "../doc/live";
import { set } from "../doc/ops";
import { drawing, settle } from "../doc/testing";
import { Stream } from "../net/frames";
import { Inspector } from "../panels/inspector/Inspector";
import { Outline } from "../panels/outline/Outline";
import { Palette } from "../panels/palette/Palette";
import { TopBar } from "../panels/topbar/TopBar";
import { renderEditor } from "./testing";

const HOSTS = 20;

/** Rows of the outline, and buttons outside of the form that shows what is edited. */
const rendered = vi.hoisted(() => ({ rows: [] as string[], buttons: [] as string[] }));
const InForm = createContext(false);

vi.mock("../panels/outline/OutlineRow", async (original) => {
  const real = await original<typeof import("../panels/outline/OutlineRow")>();
  const Counted: typeof real.OutlineRow = Object.assign(
    (props: Parameters<typeof real.OutlineRow.type>[0]) => (
      <Profiler id={props.row.id} onRender={(id) => rendered.rows.push(id)}>
        <real.OutlineRow {...props} />
      </Profiler>
    ),
    real.OutlineRow,
  );
  return { ...real, OutlineRow: Counted };
});

vi.mock("../ui/Button", async (original) => {
  const real = await original<typeof import("../ui/Button")>();
  const Button: typeof real.Button = (props) => {
    if (!use(InForm)) rendered.buttons.push(props.label);
    return real.Button(props);
  };
  return { Button };
});

/** h1 … h20, each on a port of one switch. */
function star() {
  const drawn = drawing();
  for (let at = 2; at <= HOSTS; at += 1) {
    drawn.nodes[`h${at}`] = makeNode("host", `h${at}`, at, 0);
    drawn.interfaces[`e${at}`] = {
      ...makeInterface(`h${at}`, "eth0"),
      addresses: [`10.0.0.${at}/24`],
    };
    drawn.interfaces[`p${at}`] = makeInterface("n2", `p${at}`);
    drawn.links[`k${at}`] = makeLink(`e${at}`, `p${at}`);
  }
  return drawn;
}

let page: ReturnType<typeof renderEditor>;
let palette = 0;
let inspector = 0;

/** What `act` renders, from here on. */
async function during(deed: () => void): Promise<void> {
  rendered.rows.length = 0;
  rendered.buttons.length = 0;
  [palette, inspector] = [0, 0];
  await act(async () => {
    deed();
    await settle();
    vi.advanceTimersByTime(250); // panels look at the live state five times a second
  });
}

const edit = (id: string, ...addresses: string[]) =>
  page.editor.submit(set("interfaces", id, { addresses }));

const status = () => page.lab.session.facts.getState().status;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  page = renderEditor(
    <>
      <TopBar />
      <Profiler id="palette" onRender={() => (palette += 1)}>
        <Palette />
      </Profiler>
      <Outline />
      <Profiler id="inspector" onRender={() => (inspector += 1)}>
        <InForm value={true}>
          <Inspector />
        </InForm>
      </Profiler>
    </>,
    star(),
    { running: true },
  );
  page.editor.ui.setState({
    selection: new Set(["h7"]),
    inspectorTab: "interfaces",
    focusedPort: "e7",
  });
  await import("../kinds/index"); // the form has a part that is loaded later
  // The first edit of all lets Undo be pressed.
  await during(() => edit("e3", "10.0.0.3/24", "10.1.0.3/24"));
  await during(() => vi.advanceTimersByTime(1_000));
});
afterEach(() => {
  page.close();
  vi.useRealTimers();
});

it("renders no row and no button for an address that only the inspector shows", async () => {
  await during(() => edit("e7", "10.0.0.7/24", "10.1.0.7/24"));
  expect(page.lab.server.topology.interfaces.e7?.addresses).toHaveLength(2);
  expect(rendered).toEqual({ rows: [], buttons: [] });
  expect(palette).toBe(0);
  expect(inspector).toBe(1); // at once; the server's answer says nothing new
});

it("renders the one row that shows the address", async () => {
  await during(() => edit("e7", "10.0.0.77/24"));
  expect(rendered).toEqual({ rows: ["h7"], buttons: [] });
});

it("renders nothing for another node's interface", async () => {
  await during(() => edit("e8", "10.0.0.8/24", "10.1.0.8/24"));
  expect(rendered).toEqual({ rows: [], buttons: [] });
  expect([palette, inspector]).toEqual([0, 0]);
});

it("renders nothing for a status that says the same, or only a newer number", async () => {
  const facts = page.lab.session.facts;
  const before = facts.getState();
  await during(() => page.lab.socket.fact({ type: "status", status: { ...status() } }));
  expect(facts.getState()).toBe(before);
  await during(() => {
    const next = status().generation + 1;
    page.lab.socket.fact({ type: "status", status: { ...status(), generation: next } });
    page.lab.socket.fact({
      type: "status",
      status: { ...status(), generation: next, observed_generation: next },
    });
  });
  expect(rendered).toEqual({ rows: [], buttons: [] });
  expect([palette, inspector]).toEqual([0, 0]);
});

it("shows progress and Cancel when an edit lasts", async () => {
  const next = { generation: status().generation + 1, steps_done: 1, steps_total: 9 };
  await during(() => page.lab.socket.fact({ type: "status", status: { ...status(), ...next } }));
  expect(rendered.buttons).toEqual([]);
  await during(() => {});
  expect(rendered.buttons).toEqual(["Cancel the work under way"]);
});

it("keeps the list of problems when the same come again", async () => {
  const { session, socket } = page.lab;
  const problems = () => [
    { code: "x", path: "/nodes/n1", message: "m", hint: "", severity: "warning" as const },
  ];
  await during(() => socket.fact({ type: "problems", problems: problems() }));
  const known = session.facts.getState().problems;
  await during(() => socket.fact({ type: "problems", problems: problems() }));
  expect(session.facts.getState().problems).toBe(known);
  expect(rendered.buttons).toEqual([]);
});

it("renders the one row of a node whose live state is another", async () => {
  const node: LiveNode = {
    present: true,
    forward_ipv4: false,
    forward_ipv6: false,
    interfaces: {},
    routes: [],
    neighbours: [],
    fdb: [],
    drift: [],
  };
  const live = (nodes: Record<string, LiveNode>, full: boolean) =>
    page.lab.socket.data(Stream.live, { rev: 1, full, time: 1, nodes, links: {} });
  const ids = Object.keys(page.editor.topology.nodes);
  await during(() => live(Object.fromEntries(ids.map((id) => [id, node])), true));
  expect(rendered.rows).toHaveLength(ids.length);
  const down = { ...node, drift: [{ path: "mtu", drawn: 1, actual: 2 }] };
  await during(() => live({ h7: down, h8: { ...node } }, false));
  expect(rendered.rows).toEqual(["h7"]);
});
