import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panned, roundUp, ticksOf, wheeled, windowFor, zoomed } from "./zoom";

const REACH = { from: 1_000, to: 1_600, least: 20e-6 };

describe("the window of a time-line", () => {
  it("keeps the moment under the pointer in its place while it grows and shrinks", () => {
    const near = zoomed(REACH, 1_150, 0.5, REACH);
    expect(near).toEqual({ from: 1_075, to: 1_375 });
    expect((1_150 - near.from) / (near.to - near.from)).toBeCloseTo(0.25);
  });

  it("goes down to microseconds and no farther, and up to all there is", () => {
    let window = { from: REACH.from, to: REACH.to };
    for (let turn = 0; turn < 60; turn += 1) window = zoomed(window, 1_234.5, 0.5, REACH);
    expect(window.to - window.from).toBeCloseTo(20e-6, 6);
    expect(window.from <= 1_234.5 && 1_234.5 <= window.to).toBe(true);
    for (let turn = 0; turn < 60; turn += 1) window = zoomed(window, window.from, 2, REACH);
    expect(window.from).toBeCloseTo(REACH.from);
    expect(window.to).toBeCloseTo(REACH.to);
  });

  it("never leaves what there is, whatever is done", () => {
    const step = fc.record({
      deltaX: fc.integer({ min: -500, max: 500 }),
      deltaY: fc.integer({ min: -500, max: 500 }),
      shiftKey: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), fc.double({ min: 0, max: 1, noNaN: true }), (steps, place) => {
        let window = { from: REACH.from, to: REACH.to };
        for (const one of steps) {
          const at = window.from + place * (window.to - window.from);
          window = wheeled(one, window, at, REACH);
          expect(window.from).toBeGreaterThanOrEqual(REACH.from - 1e-6);
          expect(window.to).toBeLessThanOrEqual(REACH.to + 1e-6);
          expect(window.to).toBeGreaterThan(window.from);
        }
      }),
    );
  });

  it("has keys, and leaves others alone", () => {
    const window = { from: 1_100, to: 1_200 };
    expect(windowFor("+", window, 1_100, REACH)).toEqual({ from: 1_100, to: 1_150 });
    expect(windowFor("-", window, 1_100, REACH)).toEqual({ from: 1_100, to: 1_300 });
    expect(windowFor("]", window, 1_100, REACH)).toEqual(panned(window, 0.25, REACH));
    expect(windowFor("[", window, 1_100, REACH)).toEqual({ from: 1_075, to: 1_175 });
    expect(windowFor("0", window, 1_100, REACH)).toEqual({ from: 1_000, to: 1_600 });
    expect(windowFor("ArrowLeft", window, 1_100, REACH)).toBeNull();
  });

  it("has ticks at round numbers", () => {
    expect(ticksOf({ from: 3, to: 21 }, 5)).toEqual([5, 10, 15, 20]);
    expect(ticksOf({ from: 0.00012, to: 0.00029 }, 4)).toHaveLength(3);
    expect([0.3, 1, 1.1].map(roundUp)).toEqual([0.5, 1, 2]);
    expect(roundUp(0.00004)).toBeCloseTo(0.00005, 9);
  });
});
