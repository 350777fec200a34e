import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PacketPassage } from "../scene/contract";
import {
  Choreographer,
  HARD_LAG,
  MAX_ALIVE,
  MAX_ON_CABLE,
  MOST_BUFFER,
  PASSAGE,
  PLAYOUT_BUFFER,
} from "./choreographer";
import type { LinkEnds, PacketRow } from "./rows";

// A chain n0 – n1 – n2 – n3 – n4.
const LINKS: Record<string, LinkEnds> = Object.fromEntries(
  [0, 1, 2, 3].map((i) => [`l${i}`, { a: `n${i}`, b: `n${i + 1}` }]),
);
const endsOf = (link: string) => LINKS[link];

let counter = 0;
function row(change: Partial<PacketRow>): PacketRow {
  counter += 1;
  return {
    number: counter,
    time: 100,
    link: "l0",
    direction: "ab",
    packet: 1,
    protocol: "ICMP",
    source: "10.0.0.1",
    destination: "10.0.0.9",
    info: "",
    length: 98,
    flags: "",
    ...change,
  };
}

/** A request over the first `hops` cables and its reply back, microseconds apart. */
function ping(at: number, packet: number, hops = 4): PacketRow[] {
  const out = Array.from({ length: hops }, (_, hop) =>
    row({ time: at + hop * 1e-5, link: `l${hop}`, packet }),
  );
  const back = Array.from({ length: hops }, (_, hop) =>
    row({
      time: at + (hops + hop) * 1e-5,
      link: `l${hops - 1 - hop}`,
      direction: "ba",
      packet: packet + 1,
      source: "10.0.0.9",
      destination: "10.0.0.1",
    }),
  );
  return [...out, ...back];
}

function inSequence(passages: PacketPassage[]): boolean {
  return passages.every((one, i) => i === 0 || one.start >= (passages[i - 1]?.end ?? 0));
}

describe("Choreographer", () => {
  it("waits longer on a socket that jitters, and shorter again on one that is calm", () => {
    const player = new Choreographer(endsOf);
    const delay = (at: number, arrival: number) => {
      counter += 1;
      const [passage] = player.add([row({ time: at / 1000, packet: counter })], arrival).passages;
      return (passage?.start ?? 0) - at;
    };
    expect(delay(1_000, 1_030)).toBe(30 + PLAYOUT_BUFFER);
    expect(delay(3_000, 3_100)).toBeCloseTo(100); // 30 ms too late: shown at once
    expect(delay(5_000, 5_030)).toBeCloseTo(100 - 10, 0);
    expect(delay(7_000, 7_900)).toBeCloseTo(900);
    expect(delay(9_000, 9_030)).toBeCloseTo(30 + MOST_BUFFER - 10, 0);
    for (let at = 10_000; at < 60_000; at += 2_000) delay(at, at + 30);
    expect(delay(60_000, 60_030)).toBeCloseTo(30 + PLAYOUT_BUFFER, 0);
    player.reset();
    expect(delay(70_000, 70_300)).toBe(300 + PLAYOUT_BUFFER); // the page was busy when it began
    expect(delay(72_000, 72_030)).toBe(30 + PLAYOUT_BUFFER);
  });

  it("plays a packet's hops, then its reply's, one after the other", () => {
    const { passages } = new Choreographer(endsOf).add(ping(5, 1), 1_000);
    expect(passages.map(({ link }) => link)).toEqual([
      "l0",
      "l1",
      "l2",
      "l3",
      "l3",
      "l2",
      "l1",
      "l0",
    ]);
    expect(passages.map(({ forward }) => forward)).toEqual([
      ...Array(4).fill(true),
      ...Array(4).fill(false),
    ]);
    expect(passages[0]?.start).toBe(1_000 + PLAYOUT_BUFFER);
    expect((passages[0]?.end ?? 0) - (passages[0]?.start ?? 0)).toBe(PASSAGE);
    expect(inSequence(passages)).toBe(true);
  });

  it("sends the copies of a flooded frame off together", () => {
    const flood = new Choreographer((link) => (link === "x" ? { a: "n1", b: "n9" } : LINKS[link]));
    const rows = [
      row({}),
      row({ link: "l1", time: 100.00001 }),
      row({ link: "x", time: 100.00002 }),
    ];
    const { passages } = flood.add(rows, 0);
    expect(passages[1]?.start).toBe(passages[0]?.end);
    expect(passages[2]?.start).toBe(passages[0]?.end);
  });

  it("does not make strangers wait for each other", () => {
    const rows = [row({}), row({ packet: 2, link: "l1", source: "10.0.0.3", time: 100.001 })];
    const { passages } = new Choreographer(endsOf).add(rows, 0);
    expect((passages[1]?.start ?? 0) - (passages[0]?.start ?? 0)).toBeCloseTo(1, 3);
  });

  it("goes faster and slower", () => {
    const slow = new Choreographer(endsOf);
    slow.speed = 0.1;
    const [passage] = slow.add([row({})], 0).passages;
    expect((passage?.end ?? 0) - (passage?.start ?? 0)).toBeCloseTo(PASSAGE * 10);
  });

  it("starts afresh when the capture was silent or the clock jumped", () => {
    const stage = new Choreographer(endsOf);
    stage.add([row({ time: 100 })], 0);
    const [late] = stage.add([row({ time: 100.1, packet: 2, source: "z" })], 60_000).passages;
    expect(late?.start).toBe(60_000 + PLAYOUT_BUFFER);
    const [early] = stage.add([row({ time: 9_000, packet: 3, source: "y" })], 61_000).passages;
    expect(early?.start).toBe(61_000 + PLAYOUT_BUFFER);
  });

  const flood = (count: number, link: string) =>
    Array.from({ length: count }, (_, i) =>
      row({ packet: ++counter, source: `s${link}${i}`, link, time: 100 + i * 1e-6 }),
    );

  it("leaves out, counts and names what is too much on a cable, not what is rare elsewhere", () => {
    const stage = new Choreographer(endsOf);
    const { passages, crowded } = stage.add(flood(MAX_ON_CABLE + 50, "l0"), 0);
    expect(passages).toHaveLength(MAX_ON_CABLE);
    expect(crowded).toEqual(Array(50).fill("l0"));
    expect(stage.dropped).toBe(50);
    expect(stage.add(flood(1, "l1"), 1).crowded).toEqual([]);
    expect(stage.add(flood(1, "l0"), 2).crowded).toEqual(["l0"]);
    expect(stage.add(flood(1, "l0"), 2 * PASSAGE).crowded).toEqual([]); // the others have arrived
  });

  it("leaves out what is too much in all", () => {
    const stage = new Choreographer(endsOf);
    const rows = ["l0", "l1", "l2", "l3"].flatMap((link) => flood(MAX_ON_CABLE, link));
    const { passages, crowded } = stage.add(rows, 0);
    expect(passages).toHaveLength(MAX_ALIVE);
    expect(crowded).toEqual(Array(4 * MAX_ON_CABLE - MAX_ALIVE).fill("l3"));
  });

  it("ignores cables that it does not know", () => {
    expect(new Choreographer(endsOf).add([row({ link: "gone" })], 0)).toEqual({
      passages: [],
      crowded: [],
    });
  });

  const traffic = fc.array(
    fc.record({
      gap: fc.integer({ min: 0, max: 400 }), // ms of kernel time since the last
      packet: fc.integer({ min: 1, max: 30 }),
      link: fc.constantFrom("l0", "l1", "l2", "l3"),
      direction: fc.constantFrom("ab" as const, "ba" as const),
      source: fc.constantFrom("a", "b", "c"),
      destination: fc.constantFrom("a", "b", "c"),
      batch: fc.boolean(),
    }),
    { maxLength: 120 },
  );

  it("keeps causal order, never goes back, and stays within its bounds, whatever comes", () => {
    fc.assert(
      fc.property(traffic, fc.double({ min: 0.1, max: 4, noNaN: true }), (moves, speed) => {
        const stage = new Choreographer(endsOf);
        stage.speed = speed;
        const arrived = new Map<string, number>(); // packet at node → end of its passage there
        let time = 50;
        let now = 0;
        let batch: PacketRow[] = [];
        const flush = () => {
          const span = ((batch.at(-1)?.time ?? 0) - (batch[0]?.time ?? 0)) * 1_000;
          const most = HARD_LAG / Math.min(1, speed) + PLAYOUT_BUFFER + 1_000 + span;
          const { passages, crowded } = stage.add(batch, now);
          expect(passages.length + crowded.length).toBe(batch.length);
          for (const passage of passages) {
            const ends = endsOf(passage.link) ?? { a: "", b: "" };
            const [from, to] = passage.forward ? [ends.a, ends.b] : [ends.b, ends.a];
            expect(passage.start).toBeGreaterThanOrEqual(now);
            expect(passage.end).toBeGreaterThan(passage.start);
            const before = arrived.get(`${passage.packet} ${from}`);
            if (before !== undefined) expect(passage.start).toBeGreaterThanOrEqual(before);
            arrived.set(`${passage.packet} ${to}`, passage.end);
            expect(passage.start - now).toBeLessThanOrEqual(most + 1e-6);
          }
          batch = [];
        };
        for (const { gap, batch: last, ...move } of moves) {
          time += gap / 1000;
          now += gap;
          batch.push(row({ ...move, time }));
          if (last) flush();
        }
        flush();
      }),
      { numRuns: 200 },
    );
  });

  it("stays within its lag when pings come faster than they can be shown", () => {
    const stage = new Choreographer(endsOf);
    let shown = 0;
    for (let second = 0; second < 60; second++) {
      const now = second * 1_000;
      for (const { start } of stage.add(ping(200 + second, second * 2 + 1), now).passages) {
        shown += 1;
        expect(start - now).toBeLessThanOrEqual(HARD_LAG + PLAYOUT_BUFFER + 1);
      }
    }
    expect(shown).toBe(60 * 8);
    expect(stage.dropped).toBe(0);
  });
});
