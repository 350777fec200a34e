import { act, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { renderEditor } from "../../app/testing";
import type { LiveNode } from "../../doc/live";
import { drawing } from "../../doc/testing";
import { Stream } from "../../net/frames";
import { addressProblem, isIpv6, macProblem, prefixProblem } from "./addresses";
import { Inspector } from "./Inspector";

let page: ReturnType<typeof renderEditor>;
afterEach(() => page?.close());

function open(
  id: string,
  tab: "properties" | "interfaces" | "routes" | "live" = "properties",
  running = false,
) {
  page = renderEditor(<Inspector />, drawing(), { running });
  act(() => page.editor.ui.setState({ selection: new Set([id]), inspectorTab: tab }));
  return page;
}

describe("addresses", () => {
  it.each([
    ["10.0.0.1/24", null],
    ["10.0.0.1/32", null],
    ["2001:db8::1/64", null],
    ["::ffff:10.0.0.1/128", null],
    ["fe80::1", "fields.prefixLength"],
    ["10.0.0.1", "fields.prefixLength"],
    ["10.0.0.1/33", "fields.prefix4"],
    ["::1/129", "fields.prefix6"],
    ["10.0.0.256/24", "fields.address"],
    ["10.0.0.01/24", "fields.address"],
    ["hello", "fields.address"],
  ])("%s → %s", (text, reason) => {
    expect(prefixProblem(text)).toBe(reason);
  });

  it("knows IPv6, next hops and MACs", () => {
    for (const good of ["::", "::1", "1:2:3:4:5:6:7:8", "1::8", "64:ff9b::192.0.2.1"]) {
      expect(isIpv6(good), good).toBe(true);
    }
    for (const bad of ["", ":", "1:2", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3"]) {
      expect(isIpv6(bad), bad).toBe(false);
    }
    expect(addressProblem("10.0.0.1/24")).toBe("fields.nextHop");
    expect(macProblem("02:00:00:00:00:01")).toBeNull();
    expect(macProblem("01:00:00:00:00:01")).toBe("fields.macMulticast");
    expect(macProblem("02-00-00-00-00-01")).toBe("fields.mac");
  });
});

describe("Inspector", () => {
  it("shows the lab when nothing is selected", async () => {
    page = renderEditor(<Inspector />, drawing());
    const name = screen.getByRole("textbox", { name: "Name" });
    await page.user.clear(name);
    await page.user.type(name, "Lab 4{Enter}");
    expect(page.editor.topology.name).toBe("Lab 4");
    await page.user.click(screen.getByRole("checkbox", { name: "Automatic addresses" }));
    expect(page.editor.topology.auto_address).toBe(false);
    await page.user.click(screen.getByRole("checkbox", { name: /^Offloads/ }));
    expect(page.editor.topology.offloads).toBe(false);
  });

  it("edits a node's name and refuses a name in use", async () => {
    const { user, editor } = open("n1");
    const name = await screen.findByRole("textbox", { name: "Name" });
    await user.clear(name);
    await user.type(name, "sw1{Enter}");
    expect(screen.getByRole("alert").textContent).toBe("Another one has this name.");
    expect(name.getAttribute("aria-invalid")).toBe("true");
    expect(editor.topology.nodes.n1?.name).toBe("h1");
    await user.type(name, "{Escape}");
    expect(name).toHaveProperty("value", "h1");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("switches forwarding, and bridge options on switches only", async () => {
    const { user, editor } = open("n2");
    await user.click(await screen.findByRole("checkbox", { name: "IPv4" }));
    expect(editor.topology.nodes.n2?.forward_ipv4).toBe(true);
    await user.click(screen.getByRole("checkbox", { name: "Spanning tree (802.1D)" }));
    expect(editor.topology.nodes.n2?.stp).toBe(true);
    const ageing = screen.getByRole("textbox", { name: "Ageing (s)" });
    await user.clear(ageing);
    await user.type(ageing, "soon{Enter}");
    expect(screen.getByRole("alert").textContent).toContain("Seconds");
    expect(editor.topology.nodes.n2?.ageing).toBe(300);
  });

  it("adds and removes addresses as chips", async () => {
    const { user, editor } = open("n1", "interfaces");
    await user.click(await screen.findByRole("button", { name: /^interface eth0/ }));
    const field = screen.getByRole("textbox", { name: "Add an address" });
    await user.type(field, "10.0.9.1");
    await user.tab();
    expect(screen.getByRole("alert").textContent).toContain("/24");
    await user.type(field, "/30{Enter}");
    expect(editor.topology.interfaces.i1?.addresses).toEqual(["10.0.0.1/24", "10.0.9.1/30"]);
    await user.click(screen.getByRole("button", { name: "Remove 10.0.0.1/24" }));
    expect(editor.topology.interfaces.i1?.addresses).toEqual(["10.0.9.1/30"]);
  });

  it("edits MAC and MTU, adds and removes interfaces", async () => {
    const { user, editor } = open("n1", "interfaces");
    await user.click(await screen.findByRole("button", { name: /^interface eth0/ }));
    const mac = screen.getByRole("textbox", { name: "MAC" });
    await user.type(mac, "02:00:00:00:00:AB{Enter}");
    expect(editor.topology.interfaces.i1?.mac).toBe("02:00:00:00:00:ab");
    const mtu = screen.getByRole("textbox", { name: "MTU" });
    await user.clear(mtu);
    await user.type(mtu, "1400{Enter}");
    expect(editor.topology.interfaces.i1?.mtu).toBe(1400);
    await user.click(screen.getByRole("button", { name: "Add interface" }));
    const names = Object.values(editor.topology.interfaces).map((port) => port.name);
    expect(names).toContain("eth1");
    await user.click(screen.getByRole("button", { name: "Remove interface eth1" }));
    expect(Object.keys(editor.topology.interfaces)).toEqual(["i1", "i2"]);
  });

  it("adds, edits and removes routes", async () => {
    const { user, editor } = open("n1", "routes");
    await user.type(await screen.findByRole("textbox", { name: "Destination" }), "10.0.2.0/24");
    await user.type(screen.getByRole("textbox", { name: "Next hop" }), "10.0.0.254");
    await user.click(screen.getByRole("button", { name: "Add route" }));
    const added = Object.entries(editor.topology.routes).find(([id]) => id !== "r1");
    expect(added?.[1]).toEqual({
      node: "n1",
      prefix: "10.0.2.0/24",
      via: "10.0.0.254",
      device: null,
      metric: null,
    });
    await user.click(screen.getByRole("button", { name: /10\.0\.2\.0\/24/ }));
    await user.type(screen.getByRole("textbox", { name: "Metric" }), "50{Enter}");
    await user.selectOptions(screen.getByRole("combobox", { name: "Device" }), "eth0");
    expect(editor.topology.routes[added?.[0] ?? ""]).toMatchObject({ metric: 50, device: "i1" });
    await user.click(screen.getByRole("button", { name: "Remove the route to 10.0.2.0/24" }));
    expect(Object.keys(editor.topology.routes)).toEqual(["r1"]);
  });

  it("switches a cable off, and several things at once", async () => {
    const { user, editor } = open("l1");
    await user.click(await screen.findByRole("checkbox", { name: "Switched on" }));
    expect(editor.topology.links.l1?.up).toBe(false);
    act(() => editor.select(["n1", "n2"]));
    await user.click(await screen.findByRole("checkbox", { name: "IPv6" }));
    expect(editor.topology.nodes.n1?.forward_ipv6).toBe(true);
    expect(editor.topology.nodes.n2?.forward_ipv6).toBe(true);
  });

  it("shows what the kernel holds, and settles drift", async () => {
    const { user, lab } = open("n1", "live", true);
    const node: LiveNode = {
      present: true,
      forward_ipv4: false,
      forward_ipv6: false,
      interfaces: {
        eth0: {
          id: "i1",
          kind: "veth",
          state: "up",
          mac: "02:00:00:00:00:01",
          mtu: 1400,
          master: null,
          addresses: ["10.0.0.1/24"],
          stp: null,
          index: 2,
        },
      },
      routes: [{ prefix: "10.0.0.0/24", via: null, device: "eth0", metric: 0, proto: "kernel" }],
      neighbours: [],
      fdb: [],
      drift: [{ path: "interfaces/eth0/mtu", drawn: 1500, actual: 1400 }],
    };
    lab.socket.data(Stream.live, {
      rev: 1,
      full: true,
      time: 1,
      nodes: { n1: node },
      links: {},
    });
    const card = await screen.findByRole("region", { name: "Drift" });
    expect(card.textContent).toContain("1500");
    expect(screen.getByRole("table", { name: "Routes" }).textContent).toContain("10.0.0.0/24");
    await user.click(within(card).getByRole("button", { name: "Keep actual" }));
    await vi.waitFor(() =>
      expect(lab.calls.at(-1)).toEqual({
        method: "POST",
        path: "/labs/1/drift",
        body: { node: "n1", path: "interfaces/eth0/mtu", action: "keep" },
      }),
    );
  });
});
