import { describe, expect, it, vi } from "vitest";
import { glyphOf, glyphPath, LEGEND } from "./glyphs";
import type { PacketsPayload, WireRow } from "./rows";
import { PacketStore } from "./store";

const endsOf = (link: string) => (link === "l1" ? { a: "h1", b: "r1" } : { a: "r1", b: "h2" });

function wire(
  number: number,
  change: { link?: string; packet?: number; protocol?: string } = {},
): WireRow {
  const { link = "l1", packet = number, protocol = "ICMP" } = change;
  const info = `echo request seq ${number}`;
  return [number, 10 + number, link, "ab", packet, protocol, "10.0.0.1", "10.0.0.2", info, 98, ""];
}

function payload(...rows: WireRow[]): PacketsPayload {
  return { gap: 0, lost: 0, tier: "afpacket", rows };
}

describe("PacketStore", () => {
  it("keeps the newest rows only, and finds them by number and by packet", () => {
    const store = new PacketStore(endsOf, 3);
    store.push(payload(wire(1), wire(2, { packet: 7 })));
    store.push(payload(wire(3), wire(4, { packet: 7, link: "l2" })));
    expect(store.all().map(({ number }) => number)).toEqual([2, 3, 4]);
    expect(store.byNumber(1)).toBeUndefined();
    expect(store.byNumber(4)?.link).toBe("l2");
    expect(store.byPacket(7).map(({ number }) => number)).toEqual([2, 4]);
  });

  it("skips rows that it has, as after a reconnect", () => {
    const store = new PacketStore(endsOf);
    store.push(payload(wire(1)));
    expect(store.push(payload(wire(1), wire(2))).map(({ number }) => number)).toEqual([2]);
  });

  it("counts what is missing and tells who listens", () => {
    const store = new PacketStore(endsOf);
    const heard = vi.fn();
    const stop = store.subscribe(heard);
    store.push({ gap: 4, lost: 1, tier: "afpacket", rows: [] });
    store.push({ gap: 2, lost: 0, tier: "afpacket", rows: [] });
    stop();
    store.clear();
    expect(heard).toHaveBeenCalledTimes(2);
    expect([store.gap, store.lost, store.version]).toEqual([0, 0, 3]);
  });

  it("filters by node, protocol and text together", () => {
    const store = new PacketStore(endsOf);
    store.push(
      payload(
        wire(1),
        wire(2, { link: "l2" }),
        wire(3, { protocol: "ARP" }),
        wire(4, { link: "l2", protocol: "ARP" }),
      ),
    );
    const numbers = (rows: { number: number }[]) => rows.map(({ number }) => number);
    expect(numbers(store.filter({ nodes: new Set(["h2"]) }))).toEqual([2, 4]);
    expect(numbers(store.filter({ nodes: new Set(["r1"]), protocols: new Set(["ARP"]) }))).toEqual([
      3, 4,
    ]);
    expect(numbers(store.filter({ text: "SEQ 3" }))).toEqual([3]);
    expect(numbers(store.filter({ nodes: new Set(), text: " " }))).toEqual([1, 2, 3, 4]);
  });
});

describe("glyphs", () => {
  it("gives each protocol of the legend its own look", () => {
    const looks = LEGEND.map((name) => glyphOf(name)).map(
      ({ shape, color, letter }) => `${shape} ${color} ${letter}`,
    );
    expect(new Set(looks).size).toBe(LEGEND.length);
  });

  it("maps aliases, any case, and the unknown", () => {
    expect(glyphOf("icmpv6").shape).toBe("circle");
    expect(glyphOf("HTTPS")).toEqual(glyphOf("TLS"));
    expect(glyphOf("mDNS")).toEqual(glyphOf("DNS"));
    expect(glyphOf("Quux").letter).toBe("?");
  });

  it("draws closed paths, with a hole in the ring and the lock", () => {
    expect(glyphPath("square", 7).match(/Z/g)).toHaveLength(1);
    expect(glyphPath("ring", 7).match(/Z/g)).toHaveLength(2);
    expect(glyphPath("lock", 7)).not.toContain("NaN");
  });
});
