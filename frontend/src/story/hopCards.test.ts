import { describe, expect, it } from "vitest";
import type { Rect } from "../scene/geometry";
import { overlaps } from "../scene/geometry";
import { type HopCard, hopCards, placeCards } from "./hopCards";
import { journeyOf } from "./journey";
import { TRACE } from "./testing";

const stations = journeyOf([TRACE], () => 100);

describe("the cards of hops", () => {
  it("tell what had changed at a hop, and else what stayed", () => {
    const [first, second, third] = hopCards(stations, "unchanged");
    expect(first).toMatchObject({ number: 1, interface: "veth3", span: "0.0 µs" });
    expect(first?.lines).toContainEqual({ label: "ttl", text: "64", changed: false });
    expect(second?.lines.every(({ changed }) => !changed)).toBe(true);
    expect(third?.lines[0]).toEqual({ label: "ttl", text: "64 → 63", changed: true });
  });
});

const card = (station: number): HopCard => ({
  station,
  number: station + 1,
  interface: "eth0",
  span: "0.0 µs",
  lines: [{ label: "ttl", text: "64", changed: false }],
});
const VIEW = { width: 900, height: 500 };

function boxesOf(places: { x: number; y: number }[], obstacles: Rect[], current = 0) {
  const cards = places.map((_, index) => card(index));
  return placeCards(cards, places, current, obstacles, VIEW);
}

describe("the room for cards", () => {
  const places = [120, 300, 480, 660].map((x) => ({ x, y: 250 }));
  const nodes = [
    { x: 30, y: 200, width: 60, height: 100 },
    { x: 360, y: 200, width: 60, height: 100 },
  ];

  it("hides no node, no station and no other card, and stays in view", () => {
    const placed = boxesOf(places, nodes);
    expect(placed).toHaveLength(4);
    placed.forEach(({ box }, index) => {
      const others = placed.filter((_, other) => other !== index).map((one) => one.box);
      expect([...nodes, ...others].some((one) => overlaps(one, box))).toBe(false);
      expect(places.some(({ x, y }) => overlaps({ x, y, width: 1, height: 1 }, box))).toBe(false);
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= VIEW.width).toBe(true);
    });
  });

  it("is always found for the hop that is looked at, and for no other at any cost", () => {
    const full = [{ x: 0, y: 0, width: 900, height: 500 }];
    const placed = boxesOf(places, full, 2);
    expect(placed.map((one) => one.card.station)).toEqual([2]);
  });
});
