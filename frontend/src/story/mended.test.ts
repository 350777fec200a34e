import { describe, expect, it } from "vitest";
import type { Step } from "../api/traces";
import { compare } from "./compare";
import { paired } from "./mended";
import { STEPS, VERDICT } from "./testing";

const step = (change: Partial<Step>): Step => ({ ...(STEPS[0] as Step), ...change });
const BACK = [
  step({ node: "net2", action: "reply", leg: "back" }),
  step({ node: "net1", action: "forward", leg: "back" }),
  step({ node: "host", action: "deliver", leg: "back", direction: "end" }),
];

describe("the dry run with the remedy", () => {
  const dry = compare(STEPS, [], null, new Set());

  it("stands beside the one as things are, and goes on where that ends", () => {
    const mended = { steps: [...STEPS.slice(0, -1), ...BACK], verdict: VERDICT };
    const pairs = paired(dry, mended);
    const told = pairs.map(({ deed, mended: with_ }) => [
      deed?.step.action ?? "",
      with_?.action ?? "",
    ]);
    expect(told).toEqual([
      ["send", "send"],
      ["forward", "forward"],
      ["deliver", "deliver"],
      ["drop", ""],
      ["", "reply"],
      ["", "forward"],
      ["", "deliver"],
    ]);
    expect(new Set(pairs.map(({ key }) => key)).size).toBe(pairs.length);
  });

  it("knows one deed again where the dry run as things are had two", () => {
    const resolve = step({ node: "net1", action: "resolve" });
    const forward = step({ node: "net1", action: "forward" });
    const twice = compare([forward, resolve, forward], [], null, new Set());
    const pairs = paired(twice, { steps: [forward], verdict: VERDICT });
    expect(pairs.map(({ mended }) => mended?.action ?? null)).toEqual(["forward", null, "forward"]);
  });

  it("leaves the table as it is where there is none", () => {
    expect(paired(dry, null).map(({ deed }) => deed)).toEqual(dry);
  });
});
