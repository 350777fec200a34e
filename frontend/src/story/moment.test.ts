import { describe, expect, it } from "vitest";
import type { TableRow } from "../api/tables";
import { journeyOf } from "./journey";
import { addressesOf, isOwn, routeTo } from "./moment";
import { hop, TRACE } from "./testing";

const row = (fields: Record<string, unknown>): TableRow => ({
  change: "same",
  now: null,
  changed_at: null,
  near: false,
  ...fields,
});

const ROUTES = [
  row({ prefix: "default", via: "10.0.0.254", metric: 0 }),
  row({ prefix: "10.0.0.0/8", metric: 100 }),
  row({ prefix: "10.0.0.0/8", metric: 10, interface: "eth1" }),
  row({ prefix: "10.1.0.0/16", change: "new" }),
  row({ prefix: "fe80::/64" }),
];

describe("the tables of a moment", () => {
  it("say which route was taken: the longest prefix, then the least metric", () => {
    expect(routeTo("10.1.2.3", ROUTES)).toBe(ROUTES[2]);
    expect(routeTo("192.0.2.1", ROUTES)).toBe(ROUTES[0]);
    expect(routeTo("192.0.2.1", ROUTES.slice(1))).toBeNull();
    expect(routeTo("fe80::1", ROUTES)).toBeNull();
  });

  it("leave out what came only later", () => {
    expect(routeTo("10.1.2.3", ROUTES.slice(3))).toBeNull();
    expect(isOwn("10.0.0.1", [row({ address: "10.0.0.1/24" })])).toBe(true);
    expect(isOwn("10.0.0.1", [row({ address: "10.0.0.1/24", change: "new" })])).toBe(false);
  });

  it("know the packet's addresses, of a tunnel the inner ones", () => {
    const layer = (source: string, destination: string) => ({
      protocol: "IPv4",
      start: 0,
      end: 1,
      summary: "",
      fields: [
        { name: "source", label: "", value: source, start: 0, end: 1, fields: [] },
        { name: "destination", label: "", value: destination, start: 0, end: 1, fields: [] },
      ],
    });
    const layers = [layer("1.1.1.1", "2.2.2.2"), layer("10.0.0.1", "10.0.0.2")];
    const [station] = journeyOf([{ ...TRACE, hops: [hop({ layers })] }], () => 1);
    expect(station && addressesOf(station)).toEqual({
      source: "10.0.0.1",
      destination: "10.0.0.2",
    });
    const [bare] = journeyOf([{ ...TRACE, hops: [hop({ layers: [] })] }], () => 1);
    expect(bare && addressesOf(bare)).toBeNull();
  });
});
