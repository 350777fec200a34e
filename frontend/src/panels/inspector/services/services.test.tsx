import { act, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { whyNoUplink } from "../../../actions/draw";
import { serve, serviceCommands } from "../../../actions/services";
import type { FrrState, LabStatus } from "../../../api/types";
import { StatusNote } from "../../../app/StatusNote";
import { renderEditor } from "../../../app/testing";
import { Warnings } from "../../../app/Warnings";
import { makeNode, makeService } from "../../../doc/defaults";
import type { LiveNode, LivePayload, LiveService } from "../../../doc/live";
import type { Topology } from "../../../doc/model";
import { drawing } from "../../../doc/testing";
import { Stream } from "../../../net/frames";
import { Outline } from "../../outline/Outline";
import { ToolsDialog } from "../../tools/ToolsDialog";
import { RunControls } from "../../topbar/RunControls";
import { Inspector } from "../Inspector";

let page: ReturnType<typeof renderEditor>;
afterEach(() => page?.close());

type Options = Parameters<typeof renderEditor>[2];

function open(id: string, topology: Topology = drawing(), options: Options = {}) {
  page = renderEditor(<Inspector />, topology, options);
  act(() => page.editor.ui.setState({ selection: new Set([id]), inspectorTab: "services" }));
  return page;
}

const PORT = {
  id: "i1",
  kind: "veth",
  state: "up" as const,
  mac: null,
  mtu: 1500,
  master: null,
  addresses: ["10.0.0.117/24"],
  stp: null,
  index: 2,
};

function liveNode(services: Record<string, LiveService> = {}): LiveNode {
  return {
    present: true,
    forward_ipv4: false,
    forward_ipv6: false,
    interfaces: { eth0: PORT },
    routes: [],
    neighbours: [],
    fdb: [],
    drift: [],
    services,
  };
}

function tell(change: Partial<LivePayload>): void {
  const empty = { rev: 1, full: true, time: 1, nodes: {}, links: {} };
  act(() => page.lab.socket.data(Stream.live, { ...empty, ...change }));
}

const service = (state: LiveService["state"], message = "", restarts = 0): LiveService => ({
  state,
  message,
  since: null,
  restarts,
});

describe("Services", () => {
  it("adds a DHCP server with a range of the interface's subnet, and edits it", async () => {
    const { user, editor } = open("n1");
    await user.click(await screen.findByRole("checkbox", { name: "DHCP server" }));
    const [id = "", added] = Object.entries(editor.topology.services)[0] ?? [];
    expect(added).toEqual({
      node: "n1",
      kind: "dhcp-server",
      up: true,
      options: {
        interface: "i1",
        first: "10.0.0.100",
        last: "10.0.0.199",
        lease: 600,
        gateway: null,
        dns: null,
      },
    });
    const first = screen.getByRole("textbox", { name: "First" });
    await user.clear(first);
    await user.type(first, "somewhere{Enter}");
    expect(screen.getByRole("alert").textContent).toContain("IPv4");
    await user.clear(first);
    await user.type(first, "10.0.0.50{Enter}");
    await user.type(screen.getByRole("textbox", { name: "Gateway" }), "10.0.0.254{Enter}");
    expect(editor.topology.services[id]?.options).toMatchObject({
      first: "10.0.0.50",
      last: "10.0.0.199",
      gateway: "10.0.0.254",
    });
    await user.click(screen.getByRole("checkbox", { name: "DHCP server" }));
    expect(editor.topology.services[id]?.up).toBe(false);
    act(() => void editor.session.undo.undo());
    expect(editor.topology.services[id]?.up).toBe(true);
    await user.click(screen.getByRole("button", { name: "Remove DHCP server" }));
    expect(editor.topology.services).toEqual({});
  });

  it("offers no service that cannot work, and says why", async () => {
    open("n1");
    const offer = await screen.findByRole("checkbox", { name: "Router advertisements" });
    expect(offer).toHaveProperty("disabled", true);
    expect(screen.getByText(/IPv6 address, \/64/)).toBeTruthy();
  });

  it("edits FRR's networks, BGP and free text", async () => {
    const { user, editor, lab } = open("n1");
    await user.click(await screen.findByRole("checkbox", { name: "FRR routing" }));
    const options = () => Object.values(editor.topology.services)[0]?.options;
    expect(options()).toMatchObject({ ospf: [{ prefix: "10.0.0.0/24", area: "0.0.0.0" }] });
    const ospf = screen.getByRole("textbox", { name: "OSPF" });
    await user.clear(ospf);
    await user.type(ospf, "10.0.0.0/24 0.0.0.7");
    await user.tab();
    await user.click(screen.getByRole("checkbox", { name: "Speak BGP" }));
    const neighbours = screen.getByRole("textbox", { name: "Neighbours" });
    await user.type(neighbours, "10.0.12.2 x");
    await user.tab();
    expect(screen.getByRole("alert").textContent).toContain("10.0.12.2 x");
    await user.clear(neighbours);
    await user.type(neighbours, "10.0.12.2 65002");
    await user.tab();
    await user.click(screen.getByRole("checkbox", { name: "connected" }));
    await user.type(screen.getByRole("textbox", { name: "More (FRR)" }), "debug ospf event");
    await user.keyboard("{Control>}{Enter}{/Control}"); // saves, and does not run the lab
    expect(lab.calls.some(({ path }) => path.endsWith("/run"))).toBe(false);
    expect(options()).toEqual({
      router_id: null,
      ospf: [{ prefix: "10.0.0.0/24", area: "0.0.0.7" }],
      bgp: { asn: 65001, neighbours: [{ address: "10.0.12.2", asn: 65002 }], networks: [] },
      rip: [],
      redistribute: ["connected"],
      config: "debug ospf event",
    });
  });

  it("shows how a service fares, its message, its restarts and its log", async () => {
    const topology = drawing();
    topology.services.s1 = makeService("n1", "command", { line: "false" });
    const { user } = open("n1", topology, {
      running: true,
      answers: { "GET /labs/1/services/s1/log": () => ({ text: "<b>went wrong</b>\n" }) },
    });
    tell({ nodes: { n1: liveNode({ s1: service("failed", "exit status 1", 7) }) } });
    expect(await screen.findByText("failed")).toBeTruthy();
    expect(screen.getByText("exit status 1")).toBeTruthy();
    expect(screen.getByText("restarted 7 times")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Options: Own command false" }));
    await user.click(screen.getByRole("button", { name: "Log: Own command" }));
    expect((await screen.findByRole("log")).textContent).toContain("<b>went wrong</b>");
  });

  it("shows what FRR has learned while it runs", async () => {
    const topology = drawing();
    topology.services.s1 = makeService("n1", "frr", {
      router_id: null,
      ospf: [],
      bgp: null,
      rip: [],
      redistribute: [],
      config: "",
    });
    const answer: FrrState = {
      daemons: ["zebra", "ospfd"],
      neighbours: [
        {
          protocol: "ospf",
          address: "10.0.0.2",
          router_id: "10.0.0.2",
          state: "Full",
          interface: "eth0",
          since: null,
        },
      ],
      routes: [
        {
          prefix: "10.9.0.0/16",
          via: "10.0.0.2",
          device: "eth0",
          protocol: "ospf",
          selected: true,
        },
        { prefix: "10.0.0.0/24", via: null, device: "eth0", protocol: "connected", selected: true },
      ],
    };
    open("n1", topology, { running: true, answers: { "GET /labs/1/nodes/n1/frr": () => answer } });
    tell({ nodes: { n1: liveNode({ s1: service("running") }) } });
    const routes = await screen.findByRole("table", { name: "Learned routes" });
    expect(routes.textContent).toContain("10.9.0.0/16");
    expect(routes.textContent).not.toContain("10.0.0.0/24");
    expect(screen.getByRole("table", { name: "Neighbours" }).textContent).toContain("Full");
  });
});

describe("DHCP on an interface", () => {
  it("is chosen in its form, and the lease is shown as learned", async () => {
    const answers = {
      "GET /labs/1/services/dhcp%3Ai1/log": () => ({ text: "DHCPDISCOVER" }),
    };
    const { user, editor } = open("n1", drawing(), { running: true, answers });
    act(() => editor.ui.setState({ inspectorTab: "interfaces", focusedPort: "i1" }));
    await user.selectOptions(await screen.findByRole("combobox", { name: "IPv4" }), "dhcp");
    expect(editor.topology.interfaces.i1).toMatchObject({ dhcp: true, addresses: [] });
    expect(await screen.findByText("No lease yet")).toBeTruthy();
    const nothing = { eth0: { ...PORT, addresses: [] } };
    const client = { "dhcp:i1": service("failed", "udhcpc is missing") };
    tell({ nodes: { n1: { ...liveNode(client), interfaces: nothing } } });
    expect(await screen.findByText("udhcpc is missing")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Log: DHCP client" }));
    expect((await screen.findByRole("log")).textContent).toContain("DHCPDISCOVER");
    await user.keyboard("{Escape}");
    tell({ nodes: { n1: liveNode() } });
    expect(await screen.findByText("◆ 10.0.0.117/24 DHCP")).toBeTruthy();
    act(() => editor.ui.setState({ inspectorTab: "live" }));
    expect(await screen.findByText("◆ 10.0.0.117/24 DHCP")).toBeTruthy();
  });
});

describe("the outline", () => {
  it("lists services under their node, and opens and removes them by keyboard", async () => {
    const topology = drawing();
    topology.services.s1 = makeService("n1", "http", { port: 8080, text: "" });
    page = renderEditor(<Outline />, topology);
    const { user, editor } = page;
    await user.click(screen.getByRole("treeitem", { name: /^h1,/ }));
    screen.getByRole("tree").focus();
    await user.keyboard("{ArrowRight}{ArrowDown}{ArrowDown}");
    const row = screen.getByRole("treeitem", {
      name: "service HTTP server, :8080, starts with the lab",
    });
    expect(row.getAttribute("aria-posinset")).toBe("2");
    await user.keyboard("{Enter}");
    expect(editor.ui.getState()).toMatchObject({
      inspectorTab: "services",
      focusedService: "s1",
    });
    expect([...editor.selection]).toEqual(["n1"]);
    await user.keyboard("{Delete}");
    expect(editor.topology.services).toEqual({});
  });
});

describe("commands", () => {
  it("add a service to any node, and go to it", () => {
    const topology = drawing();
    topology.nodes.up = makeNode("uplink", "up1", 0, 0);
    const { editor } = open("n2", topology);
    const commands = serviceCommands(editor);
    expect(commands.filter(({ node }) => node === "up")).toEqual([]);
    expect(commands.find(({ key }) => key === "dhcp-server n2")?.why).not.toBeNull();
    act(() => serve(editor, "n1", "dhcp-server"));
    expect(Object.values(editor.topology.services)[0]?.node).toBe("n1");
    expect([...editor.selection]).toEqual(["n1"]);
  });

  it("draw an uplink only with a grant, and once", () => {
    const grant = { granted: true, until: null, reason: "" };
    const { editor } = open("n1");
    expect(whyNoUplink(editor)).toBe("uplink.notGranted");
    page.close();
    const granted = open("n1", drawing(), { uplink: grant }).editor;
    expect(whyNoUplink(granted)).toBeNull();
    page.close();
    const features = { uplink: { ok: false, reason: "no nft" } };
    expect(whyNoUplink(open("n1", drawing(), { uplink: grant, features }).editor)).toBe(
      "uplink.unsupported",
    );
    page.close();
    const topology = drawing();
    topology.nodes.up = makeNode("uplink", "up1", 0, 0);
    expect(whyNoUplink(open("n1", topology, { uplink: grant }).editor)).toBe("uplink.onlyOne");
  });
});

describe("an uplink's properties", () => {
  it("say whether the way out is open, and offer no services", async () => {
    const topology = drawing();
    topology.nodes.up = makeNode("uplink", "up1", 0, 0);
    const until = Date.UTC(2030, 0, 1) / 1000;
    open("up", topology, { uplink: { granted: true, until, reason: "" } });
    expect(await screen.findByText("granted")).toBeTruthy();
    expect(screen.queryByRole("tab", { name: "Services" })).toBeNull();
    expect(screen.queryByText("Loopback")).toBeNull();
  });
});

describe("warnings", () => {
  it("name what is wrong, lead there, and go when it is over", async () => {
    page = renderEditor(<Warnings />, drawing(), { running: true });
    const params = { link: "h1–sw1", rate: 41000 };
    const storm = { code: "storm", link: "l1", message: "storm", params };
    tell({ warnings: { "storm:l1": storm } });
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("Broadcast storm on h1–sw1: 41000");
    await page.user.click(within(alert).getByRole("button", { name: "Show" }));
    expect([...page.editor.selection]).toEqual(["l1"]);
    tell({ full: false, warnings: { "storm:l1": null } });
    await vi.waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });

  it("that are not known here speak as the server does", async () => {
    page = renderEditor(<Warnings />, drawing(), { running: true });
    tell({ warnings: { "new:": { code: "new", message: "Something new." } } });
    expect((await screen.findByRole("alert")).textContent).toContain("Something new.");
  });
});

describe("a lab that does not run", () => {
  it("says why, as long as it is so", async () => {
    page = renderEditor(<StatusNote />, drawing());
    const { status } = page.editor.session.facts.getState();
    const refused: LabStatus = {
      ...status,
      phase: "failed",
      message: "Too many nodes.",
      failures: [{ subject: "lab", message: "It has 60 nodes; 50 are allowed.", hint: "" }],
    };
    act(() => page.lab.socket.fact({ type: "status", status: refused }));
    const note = await screen.findByRole("region", { name: "Why the lab does not run" });
    expect(note.textContent).toContain("Too many nodes. lab: It has 60 nodes; 50 are allowed.");
    act(() => page.lab.socket.fact({ type: "status", status: { ...refused, phase: "running" } }));
    await vi.waitFor(() => expect(screen.queryByRole("region")).toBeNull());
  });
});

describe("the programs in nodes", () => {
  it("are listed with the packages that are missing", async () => {
    const tools = [
      { program: "ping", package: "iputils-ping", ok: true },
      { program: "dig", package: "bind9-dnsutils", ok: false },
    ];
    const answers = { "GET /labs/1/tools": () => ({ tools }) };
    page = renderEditor(<ToolsDialog onClose={() => {}} />, drawing(), { answers });
    expect(await screen.findByText("apt install bind9-dnsutils")).toBeTruthy();
    expect(screen.getAllByRole("listitem").map((one) => one.textContent)).toEqual([
      "● ping installed",
      "■ dig missing",
    ]);
  });
});

describe("stopping", () => {
  it("shows that it works, with words, until it can count its steps", async () => {
    page = renderEditor(<RunControls />, drawing(), { running: true });
    const stopping: LabStatus = {
      ...page.editor.session.facts.getState().status,
      phase: "stopping",
      generation: 2,
    };
    act(() => page.lab.socket.fact({ type: "status", status: stopping }));
    expect(await screen.findByText("Removing the network…")).toBeTruthy();
    expect(screen.getByRole("progressbar").getAttribute("value")).toBeNull();
    const counting = { ...stopping, steps_done: 3, steps_total: 9 };
    act(() => page.lab.socket.fact({ type: "status", status: counting }));
    expect(await screen.findByText("3/9")).toBeTruthy();
    expect(screen.queryByText("Removing the network…")).toBeNull();
  });
});
