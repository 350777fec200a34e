import { describe, expect, it } from "vitest";
import { sentence } from "../doc/sentence";
import { compare } from "./compare";
import { headerRows } from "./headers";
import { directionOf, formatRound, formatSpan, journeyOf, lanesOf, stationAt } from "./journey";
import { scaleOf } from "./scale";
import { HOPS, hop, STEPS, TRACE, threeNodes, VERDICT } from "./testing";
import { foretold, seen } from "./ways";

const unknown = () => null;
const NOBODY = new Set<string>();
const stations = journeyOf([TRACE], unknown);

describe("journeyOf", () => {
  it("numbers the stations through, an answer after its request, at its own time", () => {
    const answer = { ...TRACE, packet: 8, hops: [hop({ node: "net2" }), hop({ parent: 0 })] };
    const begun = ({ packet }: { packet: number }) => (packet === 7 ? 100 : 100.000_1);
    const both = journeyOf([TRACE, answer], begun);
    expect(both.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(both.map(({ leg }) => leg).slice(3)).toEqual(["there", "back", "back"]);
    expect(both.map(({ before }) => before)).toEqual([-1, 0, 1, 2, -1, 4]);
    expect(both[4]?.at).toBe(100_000);
    expect(journeyOf([TRACE, answer], unknown)[4]?.at).toBe(41_300);
  });

  it("finds the station that the clock has passed", () => {
    expect([0, 9_999, 10_000, 1e9].map((clock) => stationAt(stations, clock))).toEqual([
      0, 0, 1, 3,
    ]);
    expect(lanesOf(stations)).toEqual(["host", "net1", "net2"]);
  });

  it("calls a drop a fault only where the verdict does", () => {
    const dropped = hop({ node: "net2", direction: "drop", reason: "NO_SOCKET" });
    const [station] = journeyOf([{ ...TRACE, hops: [dropped] }], unknown);
    if (!station) throw new Error("no station");
    expect(directionOf(station, VERDICT)).toBe("drop");
    expect(directionOf(station, { ...VERDICT, kind: "delivered" })).toBe("done");
    expect(directionOf(station, { ...VERDICT, node: "net1" })).toBe("done");
  });

  it("tells spans in the unit that fits", () => {
    expect([40_300, 2_040_000, 3e9].map(formatSpan)).toEqual(["40.3 µs", "2.04 ms", "3.00 s"]);
    expect([10_000, 1e9].map(formatRound)).toEqual(["10 µs", "1 s"]);
  });
});

describe("scaleOf", () => {
  it("is even where nothing is long", () => {
    const scale = scaleOf([0, 10_000, 35_900, 40_300]);
    expect(scale.cuts).toEqual([]);
    expect(scale.x(0)).toBe(0);
    expect(scale.x(40_300)).toBeCloseTo(1);
    expect(scale.x(20_150)).toBeCloseTo(0.5);
    expect(scale.ticks.map(({ ns }) => ns)).toEqual([0, 10_000, 20_000, 30_000, 40_000]);
  });

  it("cuts a long wait out, and stays in order", () => {
    const moments = [0, 10_000, 20_000, 3e9, 3e9 + 10_000];
    const scale = scaleOf(moments);
    expect(scale.cuts).toMatchObject([{ from: 20_000, to: 3e9 }]);
    const places = moments.map(scale.x);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect((places[1] ?? 0) - (places[0] ?? 0)).toBeGreaterThan(0.2);
    expect(places.at(-1)).toBeCloseTo(1);
  });

  it("stands a single moment", () => {
    expect(scaleOf([0]).x(0)).toBe(0);
    expect(scaleOf([]).ticks).toEqual([]);
  });
});

describe("headerRows", () => {
  it("shows what tells, and marks what is new at a station", () => {
    const rows = headerRows(stations, false);
    expect(rows.map(({ key }) => key)).toEqual([
      "Ethernet source",
      "IPv4 ttl",
      "IPv4 checksum",
      "ICMP ",
    ]);
    expect(rows[1]?.values).toEqual(["64", "64", "63", "63"]);
    expect(rows[1]?.changed).toEqual([false, false, true, false]);
  });

  it("shows a field that is not telling when it was rewritten", () => {
    const layers = (id: string) => [
      { protocol: "IPv4", start: 0, end: 1, summary: "", fields: [{ ...field, value: id }] },
    ];
    const field = { name: "id", label: "id", start: 0, end: 1, fields: [] };
    const two = [hop({ layers: layers("7") }), hop({ parent: 0, layers: layers("8") })];
    const rows = headerRows(journeyOf([{ ...TRACE, hops: two }], unknown), false);
    expect(rows.map(({ key }) => key)).toEqual(["IPv4 id"]);
  });

  it("shows every field when asked", () => {
    expect(headerRows(stations, true).length).toBeGreaterThan(8);
  });
});

describe("compare", () => {
  it("tells deed by deed which stations show it", () => {
    const deeds = compare(STEPS, stations, VERDICT, NOBODY);
    expect(deeds.map(({ step, stations, seen }) => [step.node, stations, seen])).toEqual([
      ["host", [1], true],
      ["net1", [2, 3], true],
      ["net2", [4], true],
      ["net2", [], true],
    ]);
    expect(deeds[1]).toMatchObject({ first: 1, last: 2 });
  });

  it("sees who asks for an address in another packet", () => {
    const asks = { ...STEPS[0], node: "net1", action: "resolve" } as (typeof STEPS)[number];
    expect(compare([asks], stations, null, NOBODY)[0]?.seen).toBe(false);
    expect(compare([asks], stations, null, new Set(["net1"]))[0]?.seen).toBe(true);
  });

  it("claims nothing that was not seen", () => {
    const short = journeyOf([{ ...TRACE, hops: HOPS.slice(0, 2) }], unknown);
    expect(compare(STEPS, short, null, NOBODY).map(({ seen }) => seen)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("takes one sighting of packet sockets for both ends of the cable", () => {
    const tx = HOPS.filter(({ direction }) => direction === "tx");
    const cables = journeyOf([{ ...TRACE, hops: tx }], unknown);
    expect(compare(STEPS, cables, VERDICT, NOBODY).map(({ stations }) => stations)).toEqual([
      [1],
      [1, 2],
      [2],
      [],
    ]);
  });
});

describe("ways", () => {
  it("go over each cable once", () => {
    expect(foretold(STEPS).map(({ link }) => link)).toEqual(["c2", "c1"]);
    expect(seen(stations, true)).toMatchObject([
      { link: "c2", forward: false, share: 1 },
      { link: "c1", forward: false, share: 1 },
    ]);
  });

  it("end half way on a cable at whose far end nothing arrived", () => {
    const lost = journeyOf([{ ...TRACE, hops: HOPS.slice(0, 3) }], unknown);
    expect(seen(lost, true).map(({ share }) => share)).toEqual([1, 0.5]);
    expect(seen(lost, false).map(({ share }) => share)).toEqual([1, 1]);
  });
});

describe("sentence", () => {
  it("puts the drawn names in, in the language that there is", () => {
    const { nodes } = threeNodes();
    const text = { en: "{name:net2} and {name:gone}" };
    expect(
      sentence(text, "zh-CN", { ...nodes, net2: { ...nodes.net2, name: "web" } as never }),
    ).toBe("web and gone");
  });
});
