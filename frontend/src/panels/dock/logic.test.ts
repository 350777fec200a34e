import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecodedLayer } from "../../api/types";
import { PacketStore, type PacketsPayload, type WireRow } from "../../packets/index";
import { between, type Edge, nudge, timeAt, viewAt, xOf } from "./brush";
import { tickText } from "./drawTimeline";
import { fieldRows, stepFor } from "./fieldRows";
import { captureFilter, countAfter, NO_FILTER, rowsOf, type Span } from "./filter";
import { moveFor, ROW, scrollFor, windowOf } from "./gridKeys";
import { byteFor } from "./HexView";
import { bytesOf, fieldAt, onLine } from "./hexMap";
import { BIN, binOf, COLORS, fineBars, Histogram, KEPT, WINDOW } from "./histogram";
import { differences, hopsOf } from "./hops";
import { formatElapsed, KernelClock } from "./time";
import { PacketWatch } from "./watch";

const ENDS: Record<string, { a: string; b: string }> = {
  l1: { a: "h1", b: "sw1" },
  l2: { a: "sw1", b: "r1" },
};

function row(number: number, time: number, link = "l1", protocol = "ICMP", packet = 1): WireRow {
  return [
    number,
    time,
    link,
    "ab",
    packet,
    protocol,
    "10.0.0.1",
    "10.0.0.2",
    `seq ${number}`,
    98,
    "",
  ];
}

function payload(rows: WireRow[]): PacketsPayload {
  return { gap: 0, lost: 0, tier: "afpacket", rows };
}

function store(rows: WireRow[]): PacketStore {
  const made = new PacketStore((link) => ENDS[link]);
  made.push(payload(rows));
  return made;
}

describe("filter", () => {
  const packets = store([
    row(1, 10, "l1", "ARP"),
    row(2, 11, "l1"),
    row(3, 12, "l2"),
    row(4, 13, "l2", "TCP"),
  ]);
  const numbers = (change: Partial<typeof NO_FILTER>) =>
    rowsOf(packets, { ...NO_FILTER, ...change }).map((one) => one.number);

  it("lets everything through until something is chosen", () => {
    expect(numbers({})).toEqual([1, 2, 3, 4]);
  });
  it("takes a node at either end, protocols and text together", () => {
    expect(numbers({ node: "h1" })).toEqual([1, 2]);
    expect(numbers({ node: "sw1" })).toEqual([1, 2, 3, 4]);
    expect(numbers({ protocols: new Set(["ARP", "TCP"]) })).toEqual([1, 4]);
    expect(numbers({ node: "r1", text: "SEQ 3" })).toEqual([3]);
  });
  it("takes a span of time, its end exclusive", () => {
    expect(numbers({ span: { from: 11, to: 13 } })).toEqual([2, 3]);
    expect(numbers({ span: { from: null, to: 11 } })).toEqual([1]);
  });
  it("counts what came after the last row shown", () => {
    const rows = rowsOf(packets, NO_FILTER);
    expect(countAfter(rows, rows[1])).toBe(2);
    expect(countAfter(rows, rows[3])).toBe(0);
  });
  it("gives the download what it knows of the filter", () => {
    expect(captureFilter(NO_FILTER)).toEqual({});
    expect(captureFilter({ ...NO_FILTER, node: "h1", protocols: new Set(["TCP"]) })).toEqual({
      nodes: ["h1"],
      protocols: ["TCP"],
    });
  });
});

describe("time-line", () => {
  it("counts every packet of the window once, by colour", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: WINDOW - 1, noNaN: true })), (times) => {
        const histogram = new Histogram();
        const rows = times.map((time, at) => row(at, time, "l1", at % 2 ? "TCP" : "ARP"));
        histogram.add(store(rows).all());
        const bars = histogram.bars(0, WINDOW);
        expect(bars.reduce((sum, bar) => sum + bar.total, 0)).toBe(times.length);
        const tcp = bars.reduce((sum, bar) => sum + (bar.counts[COLORS.indexOf("tcp")] ?? 0), 0);
        expect(tcp).toBe(Math.floor(times.length / 2));
        for (const bar of bars) {
          expect(times.some((time) => time >= bar.start && time < bar.start + BIN)).toBe(true);
        }
      }),
    );
  });
  it("forgets what is long past", () => {
    const histogram = new Histogram();
    const late = 100 + KEPT + WINDOW;
    histogram.add(store([row(1, 100), row(2, late)]).all());
    expect(histogram.bars(0, 2_000).map((bar) => bar.start)).toEqual([late]);
    expect(histogram.oldest).toBe(late);
  });
  it("joins half seconds for a wide window, and parts them for a narrow one", () => {
    const rows = store([row(1, 100.1), row(2, 101.6), row(3, 104), row(4, 104.000_01)]).all();
    const histogram = new Histogram();
    histogram.add(rows);
    const minutes = { from: 0, to: KEPT };
    expect(binOf(minutes)).toBe(5);
    const wide = histogram.wide(minutes, 5);
    expect(wide.map(({ start, total }) => [start, total])).toEqual([[100, 4]]);
    const micros = { from: 104, to: 104.000_02 };
    const fine = fineBars(rows, micros, binOf(micros));
    expect(fine.map(({ total }) => total)).toEqual([1, 1]);
    expect(fineBars(rows, { from: 200, to: 201 }, 0.01)).toEqual([]);
  });
  it("writes ticks with the digits that tell them apart", () => {
    expect(tickText(80, 20)).toBe("1:20");
    expect(tickText(4.5, 0.5)).toBe("0:04.5");
    expect(tickText(4.00001, 0.00001)).toBe("0:04.00001");
  });
  it("keeps what the store has let go of, and begins anew with an empty store", () => {
    const packets = new PacketStore((link) => ENDS[link], 2);
    const watch = new PacketWatch(packets, new KernelClock(() => 0));
    const stop = watch.start();
    for (let n = 1; n <= 5; n += 1) packets.push(payload([row(n, n)]));
    expect(watch.histogram.bars(0, 10).length).toBe(5);
    expect(watch.clock.first).toBe(1);
    packets.clear();
    expect(watch.histogram.bars(0, 10)).toEqual([]);
    expect(watch.clock.now()).toBeNull();
    stop();
  });
  it("drops the rows of the old capture when a new one numbers from 1 again", () => {
    const packets = store([row(1, 10), row(2, 11), row(3, 12)]);
    packets.push(payload([row(1, 50), row(2, 51)]));
    expect(packets.all().map((one) => one.time)).toEqual([50, 51]);
    packets.push(payload([row(2, 51), row(3, 52)])); // what is here already stays
    expect(packets.all().map((one) => one.time)).toEqual([50, 51, 52]);
  });
  it("lets the packet with the least delay set the clock", () => {
    let local = 0;
    const clock = new KernelClock(() => local);
    clock.note(100);
    local = 5;
    clock.note(102); // came three seconds late
    expect(clock.now()).toBe(105);
  });
  it("maps px to the grid of the bins and back", () => {
    const view = viewAt(1_000.3);
    expect(view).toEqual({ from: 1_000.5 - WINDOW, to: 1_000.5 });
    expect(xOf(view.to, view, 600)).toBe(600);
    expect(timeAt(300, view, 600, BIN)).toBe(view.from + WINDOW / 2);
    expect(timeAt(-50, view, 600, BIN)).toBe(view.from);
    expect(between(7, 7, BIN)).toEqual({ from: 7, to: 7 + BIN });
    expect(between(9, 7, BIN)).toEqual({ from: 7, to: 9 });
  });
  it("moves an edge by keys, never past the other", () => {
    const view = { from: 0, to: WINDOW };
    const open = { from: null, to: null };
    const edge = (span: Span, edge: Edge, key: string) => nudge(span, edge, key, view, BIN);
    expect(edge(open, "from", "ArrowRight")).toEqual({ from: BIN, to: null });
    expect(edge(open, "to", "PageDown")).toEqual({ from: null, to: WINDOW - 10 * BIN });
    expect(edge({ from: 5, to: 5 + BIN }, "from", "PageUp")).toEqual({
      from: 5,
      to: 5 + BIN,
    });
    expect(edge({ from: BIN, to: null }, "from", "ArrowLeft")).toEqual(open);
    expect(edge({ from: 5, to: 8 }, "to", "End")).toEqual({ from: 5, to: null });
    expect(edge(open, "to", "x")).toBeNull();
  });
  it("writes time as minutes, seconds and microseconds", () => {
    expect(formatElapsed(761.084118, true)).toBe("12:41.084 118");
    expect(formatElapsed(0.9999996)).toBe("0:01.000");
  });
});

describe("grid keys", () => {
  it("walk the rows and stay inside", () => {
    expect(moveFor("ArrowDown", -1, 5, 3)).toBe(0);
    expect(moveFor("ArrowUp", -1, 5, 3)).toBe(4);
    expect(moveFor("PageDown", 1, 5, 10)).toBe(4);
    expect(moveFor("Home", 4, 5, 3)).toBe(0);
    expect(moveFor("ArrowDown", 0, 0, 3)).toBeNull();
    expect(moveFor("a", 0, 5, 3)).toBeNull();
  });
  it("window: every row in view is in the page, few others are", () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(2_000), fc.nat(100), (count, height, share) => {
        const top = (Math.max(0, count * ROW - height) * share) / 100;
        const { first, last } = windowOf(top, height, count);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(last).toBeLessThanOrEqual(count);
        expect(first * ROW).toBeLessThanOrEqual(top);
        expect(Math.min(count * ROW, top + height)).toBeLessThanOrEqual(last * ROW);
        expect(last - first).toBeLessThanOrEqual(height / ROW + 20);
      }),
    );
  });
  it("scroll only as far as needed", () => {
    expect(scrollFor(3, 0, 10 * ROW)).toBe(0);
    expect(scrollFor(10, 0, 10 * ROW)).toBe(ROW);
    expect(scrollFor(1, 5 * ROW, 10 * ROW)).toBe(ROW);
  });
});

const LAYERS: DecodedLayer[] = [
  {
    protocol: "Ethernet",
    start: 0,
    end: 14,
    summary: "",
    fields: [field("destination", "ff", 0, 6), field("source", "02", 6, 12)],
  },
  {
    protocol: "IPv4",
    start: 14,
    end: 34,
    summary: "",
    fields: [
      field("ttl", "63", 22, 23),
      { ...field("flags", "DF", 20, 22), fields: [field("df", "set", 20, 22)] },
      {
        ...field("options", "2", 28, 34),
        fields: [field("option", "a", 28, 30), field("option", "b", 30, 34)],
      },
    ],
  },
];

function field(name: string, value: string, start: number, end: number) {
  return { name, label: name, value, start, end, fields: [] };
}

describe("bytes and fields", () => {
  it("find the innermost field of a byte", () => {
    expect(fieldAt(LAYERS, 7)).toBe("Ethernet/source");
    expect(fieldAt(LAYERS, 12)).toBe("Ethernet");
    expect(fieldAt(LAYERS, 20)).toBe("IPv4/flags/df");
    expect(fieldAt(LAYERS, 31)).toBe("IPv4/options/option#1");
    expect(fieldAt(LAYERS, 99)).toBeNull();
  });
  it("cut a field's range into lines of sixteen", () => {
    expect(onLine({ start: 14, end: 34 }, 0)).toEqual({ start: 14, end: 16 });
    expect(onLine({ start: 14, end: 34 }, 1)).toEqual({ start: 0, end: 16 });
    expect(onLine({ start: 14, end: 34 }, 3)).toBeNull();
    expect([...bytesOf("00ff3f")]).toEqual([0, 255, 63]);
  });
  it("lead the arrow keys out of the field they are in", () => {
    const ttl = { start: 22, end: 23 };
    expect(byteFor("ArrowRight", ttl, 98)).toBe(23);
    expect(byteFor("ArrowLeft", ttl, 98)).toBe(21);
    expect(byteFor("ArrowUp", ttl, 98)).toBe(6);
    expect(byteFor("ArrowDown", { start: 42, end: 98 }, 98)).toBe(97);
    expect(byteFor("Tab", ttl, 98)).toBeNull();
  });
  it("mark what changed since the previous hop, and what hides it", () => {
    const before = structuredClone(LAYERS);
    (before[0]?.fields[1] as { value: string }).value = "01";
    (before[1]?.fields[0] as { value: string }).value = "64";
    const changed = differences(LAYERS, before);
    expect([...changed]).toEqual([
      ["Ethernet/source", "01"],
      ["IPv4/ttl", "64"],
    ]);
    const rows = fieldRows(LAYERS, new Map(), changed);
    expect(rows.map((one) => one.key)).toEqual([
      "Ethernet",
      "IPv4",
      "IPv4/ttl",
      "IPv4/flags",
      "IPv4/options",
    ]);
    expect(rows[0]).toMatchObject({ expanded: false, hides: true });
    expect(rows[2]).toMatchObject({ was: "64", parent: "IPv4", position: 1, siblings: 3 });
  });
  it("order the sightings of a packet by kernel time", () => {
    const rows = store([row(1, 10, "l1"), row(2, 11, "l2"), row(3, 12, "l1")]).all();
    const second = rows[1];
    if (!second) throw new Error("no row");
    expect(hopsOf(second, rows)).toMatchObject({ at: 1, previous: { number: 1 } });
    expect(hopsOf(second, []).previous).toBeNull();
  });
  it("walk the tree: into, out of, open and closed", () => {
    const rows = fieldRows(LAYERS, new Map(), new Map());
    expect(stepFor("ArrowRight", rows, 0)).toEqual({ open: true });
    expect(stepFor("ArrowRight", rows, 1)).toEqual({ go: "IPv4/ttl" });
    expect(stepFor("ArrowLeft", rows, 2)).toEqual({ go: "IPv4" });
    expect(stepFor("ArrowLeft", rows, 1)).toEqual({ open: false });
    expect(stepFor("End", rows, 0)).toEqual({ go: "IPv4/options" });
    expect(stepFor("q", rows, 0)).toBeNull();
  });
});
