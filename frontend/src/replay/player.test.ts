import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PacketEnd } from "../api/traces";
import { loadStories } from "../app/stories";
import { initI18n } from "../i18n/index";
import { Api } from "../net/api";
import type { PacketRow } from "../packets/index";
import { fetchRest, openRecording } from "./open";
import { countUntil, stateAt } from "./past";
import { BEGAN, END, LIVE, live, recorded } from "./testing";

describe("what was at a moment", () => {
  it("is found in sorted times, the moment itself included", () => {
    const at = (time: number) => countUntil([1, 2, 2, 3], time, (one) => one);
    expect([0, 1, 2, 2.5, 9].map(at)).toEqual([0, 1, 3, 3, 4]);
    expect(countUntil([], 1, (one: number) => one)).toBe(0);
  });

  it("is the last full state and what changed since", () => {
    const states = (time: number) =>
      Object.entries(stateAt(LIVE, time)?.links ?? {}).map(([id, one]) => `${id} ${one?.state}`);
    expect(states(BEGAN + 1)).toEqual(["c1 up", "c2 up"]);
    expect(states(BEGAN + 3)).toEqual(["c1 down", "c2 up"]);
    expect(states(BEGAN + 9)).toEqual(["c1 up"]);
    expect(states(BEGAN - 5)).toEqual(["c1 up", "c2 up"]);
    expect(stateAt([], 1)).toBeNull();
    const anew = [...LIVE, live(BEGAN + 6, { full: true })];
    expect(stateAt(anew, BEGAN + 7)).toMatchObject({ full: true, links: {}, nodes: {} });
  });
});

/** Frames come when the test says so; s since the last one. */
let frames: ((now: number) => void)[] = [];
let clock = 0;

function frame(passed: number): void {
  clock += passed * 1_000;
  const due = frames;
  frames = [];
  for (const one of due) one(clock);
}

beforeEach(() => {
  frames = [];
  clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  vi.stubGlobal("requestAnimationFrame", (act: (now: number) => void) => frames.push(act));
  vi.stubGlobal("cancelAnimationFrame", () => {
    frames = [];
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function open() {
  const { t } = initI18n();
  await loadStories(); // marks are drawn by that room; its loading is not what is tested
  const calls = recorded();
  const first = await calls.content(0);
  const { editor, player } = openRecording({ api: new Api(), calls, own: false, t }, first);
  const rows: PacketRow[] = [];
  const ends: PacketEnd[] = [];
  editor.session.packets.onRows((more) => rows.push(...more));
  editor.session.packets.onEnds((more) => ends.push(...more));
  const rest = () => fetchRest(calls, player, first.next, () => false);
  return { editor, player, rows, ends, rest };
}

const SECOND = [0.25, 0.25, 0.25, 0.25];

describe("a player", () => {
  it("lists the whole recording at once, and plays none of it before it is told to", async () => {
    const { editor, player, rows, rest } = await open();
    expect(editor.session.packets.store.all()).toHaveLength(2);
    await rest();
    expect(editor.session.packets.store.all()).toHaveLength(4);
    expect(editor.session.packets.store.endOf(7)).toEqual(END);
    expect(rows).toEqual([]);
    expect(player.time()).toBe(BEGAN);
    expect(player.state.getState()).toMatchObject({ playing: false, loaded: BEGAN + 10 });
  });

  it("tells of packets, ends and states when the clock passes them, each once", async () => {
    const { editor, player, rows, ends, rest } = await open();
    await rest();
    player.play();
    for (const _ of [1, 2, 3]) for (const part of SECOND) frame(part);
    expect(player.time()).toBeCloseTo(BEGAN + 3);
    expect(rows.map(({ number }) => number)).toEqual([1, 2]);
    expect(editor.session.live.link("c1")?.state).toBe("down");
    expect(ends).toEqual([]);
    for (const _ of [4, 5, 6]) for (const part of SECOND) frame(part);
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(ends).toEqual([END]);
    expect(editor.session.live.link("c1")?.state).toBe("up");
    player.pause();
    frame(1);
    expect(player.time()).toBeCloseTo(BEGAN + 6);
  });

  it("gives the canvas times at its own pace, however slow or fast the recording runs", async () => {
    for (const speed of [0.01, 10]) {
      const { player, rows, rest } = await open();
      await rest();
      player.seek(BEGAN + 4.9999);
      player.setSpeed(speed);
      player.play();
      const parts = speed < 1 ? 2 : 1;
      for (let turn = 0; turn < parts; turn += 1) frame(0.1);
      const [first, second] = rows.slice(-2);
      const apart = (second?.time ?? 0) - (first?.time ?? 0);
      expect(apart).toBeCloseTo(0.0005 / speed, 6);
      player.destroy();
    }
  });

  it("does not run ahead of what has come, and stops at the end", async () => {
    const { player, rest } = await open();
    player.setSpeed(10);
    player.play();
    for (const part of SECOND) frame(part);
    expect(player.time()).toBe(BEGAN + 1.5);
    await rest();
    for (const part of [...SECOND, ...SECOND]) frame(part);
    expect(player.time()).toBe(BEGAN + 10);
    expect(player.state.getState().playing).toBe(false);
    player.play();
    expect(player.time()).toBe(BEGAN);
  });

  it("jumps from fault to fault, picks the packet, and shows the state of that moment", async () => {
    const { editor, player, ends, rest } = await open();
    await rest();
    expect(player.fault(1)).toEqual(END);
    frame(0);
    expect(player.time()).toBe(END.time);
    expect(editor.ui.getState().pickedPacket).toBe(4);
    expect(editor.session.live.link("c1")?.state).toBe("up");
    await vi.waitFor(() => expect(ends).toEqual([END]));
    expect(player.fault(1)).toBeNull();
    player.seek(BEGAN + 3);
    frame(0);
    expect(editor.session.live.link("c1")?.state).toBe("down");
    player.seek(BEGAN + 99);
    expect(player.time()).toBe(BEGAN + 10);
    expect(player.fault(-1)).toEqual(END);
  });

  it("plays only what a filter lets through, and everything again without", async () => {
    const { player, rows, rest } = await open();
    await rest();
    expect(await player.sieve("frame.number == 3")).toEqual(new Set([3]));
    player.play();
    for (let turn = 0; turn < 6; turn += 1) for (const part of SECOND) frame(part);
    expect(rows.map(({ number }) => number)).toEqual([3]);
    player.pause();
    expect(await player.sieve("")).toBeNull();
    player.seek(BEGAN);
    player.play();
    for (let turn = 0; turn < 6; turn += 1) for (const part of SECOND) frame(part);
    expect(rows.map(({ number }) => number)).toEqual([3, 1, 2, 3, 4]);
  });

  it("changes nothing: no operation leaves, whoever asks for it", async () => {
    const { editor } = await open();
    const before = editor.topology;
    editor.submit({ kind: "remove", collection: "nodes", id: "net1" });
    expect(editor.topology).toBe(before);
    await expect(editor.session.api.run()).rejects.toThrow();
  });

  it("shows the moment of a row that is picked while it stands, and where its packet ended", async () => {
    const { editor, player, rest } = await open();
    await rest();
    const pick = (number: number) => {
      const row = editor.session.packets.store.byNumber(number);
      if (row) player.lookAt(row);
    };
    pick(2);
    expect(player.time()).toBe(BEGAN + 1.5);
    pick(4);
    expect(player.time()).toBe(END.time);
    player.play();
    pick(1);
    expect(player.time()).toBe(END.time);
  });
});
