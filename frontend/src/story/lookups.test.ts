import { describe, expect, it } from "vitest";
import type { HopTables, TableRow } from "../api/tables";
import { journeyOf } from "./journey";
import { lookupOf } from "./lookups";
import { hop, TRACE } from "./testing";

const row = (fields: Record<string, unknown>): TableRow => ({
  change: "same",
  now: null,
  changed_at: null,
  near: false,
  ...fields,
});
const field = (name: string, value: string) => ({
  name,
  label: name,
  value,
  start: 0,
  end: 1,
  fields: [],
});
const layers = [
  {
    protocol: "IPv4",
    start: 0,
    end: 1,
    summary: "",
    fields: [field("source", "10.20.3.2"), field("destination", "10.20.2.2")],
  },
];
const [station] = journeyOf([{ ...TRACE, hops: [hop({ node: "net2", layers })] }], () => 1);

function tables(addresses: TableRow[], routes: TableRow[], as_of = 5): HopTables {
  const none = { interfaces: [], forwarding: [], neighbours: [], fdb: [] };
  return {
    packet: 7,
    hop: 0,
    node: "net2",
    interface: "veth1",
    time: 5,
    exact: true,
    as_of,
    tables: { ...none, addresses, routes },
    conntrack: { as_of: 0, rows: [] },
  };
}

const CONNECTED = row({ prefix: "10.20.2.0/24", interface: "veth1", via: null });
const DEFAULT = row({ prefix: "0.0.0.0/0", interface: "veth1", via: "10.20.2.1" });
const OWN = row({ address: "10.20.2.2/24" });

describe("what a node looked up", () => {
  it("is the packet's target; the target itself asks for the way back", () => {
    if (!station) throw new Error("no station");
    expect(lookupOf(station, tables([], [CONNECTED, DEFAULT]))).toEqual({
      node: "net2",
      asked: "10.20.2.2",
      answering: false,
      route: "10.20.2.0/24 dev veth1",
      others: ["0.0.0.0/0 via 10.20.2.1"],
    });
    expect(lookupOf(station, tables([OWN], [CONNECTED]))).toMatchObject({
      asked: "10.20.3.2",
      answering: true,
      route: null,
    });
    expect(lookupOf(station, tables([OWN], [CONNECTED, DEFAULT]))?.route).toBe(
      "0.0.0.0/0 via 10.20.2.1",
    );
  });

  it("is not told where nothing is known, or was not there yet", () => {
    if (!station) throw new Error("no station");
    expect(lookupOf(station, tables([], []))).toBeNull();
    expect(lookupOf(station, tables([OWN], [CONNECTED], 0))).toBeNull();
    const late = { ...DEFAULT, change: "new" } as TableRow;
    expect(lookupOf(station, tables([OWN], [CONNECTED, late]))?.route).toBeNull();
  });
});
