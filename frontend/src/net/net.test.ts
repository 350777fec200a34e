import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LivePayload } from "../doc/live";
import { set } from "../doc/ops";
import { drawing, settle } from "../doc/testing";
import { Api, ApiError } from "./api";
import { decodeFrame, encodeFrame, Stream } from "./frames";
import { LiveStore } from "./live";
import { FakeSocket, type MockLab, mockLab, STOPPED } from "./mockServer";
import { isBusy } from "./session";

const LINK = { state: "up", rate_ab: 1000, rate_ba: 0, pps_ab: 1, pps_ba: 0 } as const;
const NODE = {
  present: true,
  forward_ipv4: false,
  forward_ipv6: false,
  interfaces: {},
  routes: [],
  neighbours: [],
  fdb: [],
  drift: [],
};

function payload(part: Partial<LivePayload>): LivePayload {
  return { rev: 1, full: false, time: 1, nodes: {}, links: {}, ...part };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("Api", () => {
  it("sends the CSRF token and the operation in one flat object", async () => {
    const fetcher = vi.fn(async () => Response.json({ user: null, csrf: "abc" }));
    const api = new Api(fetcher as unknown as typeof fetch);
    await api.session();
    const operation = set("nodes", "n1", { x: 1 });
    await api.forLab(3).send({ op_id: "o1", base_seq: 7, operation });
    const [path, init] = fetcher.mock.calls[1] as unknown as [string, RequestInit];
    expect(path).toBe("/api/v1/labs/3/operations");
    expect((init.headers as Record<string, string>)["X-CSRFToken"]).toBe("abc");
    expect(JSON.parse(String(init.body))).toEqual({ op_id: "o1", base_seq: 7, ...operation });
  });

  it("turns problem+json into an error with its problems", async () => {
    const problem = { code: "c", path: "/x", message: "m", hint: "h", severity: "error" };
    const api = new Api((async () =>
      Response.json({ detail: "no", problems: [problem] }, { status: 422 })) as typeof fetch);
    const error = await api.lab(1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, message: "no", problems: [problem] });
  });

  it("says status 0 when nobody answers", async () => {
    const api = new Api((() => Promise.reject(new TypeError("failed"))) as typeof fetch);
    await expect(api.labs()).rejects.toMatchObject({ status: 0 });
  });
});

describe("frames", () => {
  it("reads what the server writes, little endian", () => {
    const frame = { stream: 2, kind: 2, sequence: 258, payload: new Uint8Array([7]) };
    const bytes = encodeFrame(frame);
    expect([...new Uint8Array(bytes)]).toEqual([2, 2, 0, 0, 2, 1, 0, 0, 7]);
    expect(decodeFrame(bytes)).toEqual(frame);
  });

  it("refuses short frames and unknown flags", () => {
    expect(decodeFrame(new ArrayBuffer(7))).toBeNull();
    expect(decodeFrame(new Uint8Array([1, 2, 1, 0, 0, 0, 0, 0]).buffer)).toBeNull();
  });
});

describe("LiveStore", () => {
  it("replaces whole objects, removes nulls, and begins anew when full", () => {
    const live = new LiveStore(() => 0);
    live.receive(payload({ full: true, nodes: { n1: NODE, n2: NODE }, links: { l1: LINK } }));
    live.receive(payload({ nodes: { n1: null } }));
    expect(live.node("n1")).toBeUndefined();
    expect(live.node("n2")).toBe(NODE);
    live.receive(payload({ full: true, nodes: {} }));
    expect(live.link("l1")).toBeUndefined();
  });

  it("tells the canvas at once and panels at most five times a second", () => {
    const live = new LiveStore(() => 0);
    const [scene, panel] = [vi.fn(), vi.fn()];
    live.onDelta(scene);
    live.subscribe(panel);
    for (let time = 0; time < 10; time += 1) live.receive(payload({ time, links: { l1: LINK } }));
    expect(scene).toHaveBeenCalledTimes(10);
    expect(panel).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(panel).toHaveBeenCalledTimes(1);
    expect(live.history("l1")).toHaveLength(10);
  });

  it("is stale after five silent seconds, and fresh with the next message", () => {
    let now = 0;
    const live = new LiveStore(() => now);
    const stop = live.watch();
    live.setRunning(true);
    live.receive(payload({}));
    now = 5_500;
    vi.advanceTimersByTime(1_000);
    expect(live.stale).toBe(true);
    live.receive(payload({}));
    expect(live.stale).toBe(false);
    stop();
  });
});

describe("LabSession", () => {
  let lab: MockLab;
  beforeEach(() => {
    lab = mockLab(drawing());
  });
  afterEach(() => lab.session.destroy());

  it("opens both streams and returns one credit a frame", () => {
    expect(lab.socket.sent).toEqual([
      { type: "open", stream: "live", params: {} },
      { type: "open", stream: "packets", params: { backlog: 500 } },
    ]);
    lab.socket.data(Stream.live, payload({ full: true }));
    expect(lab.socket.sent.at(-1)).toEqual({ type: "credit", stream: "live", credit: 1 });
  });

  it("draws, is confirmed, and hears others", async () => {
    const { session, server, socket } = lab;
    session.submit(set("nodes", "n1", { x: 30 }));
    await settle();
    expect(server.topology.nodes.n1?.x).toBe(30);
    const foreign = server.accept(
      { op_id: "other", base_seq: 1, operation: set("nodes", "n2", { x: 9 }) },
      2,
    );
    socket.fact({ type: "operations", operations: [foreign] });
    expect(session.topology.nodes.n2?.x).toBe(9);
    expect(session.doc.saveState).toBe("saved");
  });

  it("reconnects with back-off and fetches what it missed", async () => {
    const first = lab.socket;
    first.close(1006);
    expect(lab.session.facts.getState().connection).toBe("away");
    lab.server.accept({ op_id: "x", base_seq: 0, operation: set("nodes", "n1", { x: 77 }) }, 2);
    vi.advanceTimersByTime(1_000);
    expect(FakeSocket.last).not.toBe(first);
    FakeSocket.last?.open();
    await vi.waitFor(() => expect(lab.session.topology.nodes.n1?.x).toBe(77));
    expect(FakeSocket.last?.sent).toHaveLength(2);
  });

  it("does not knock again where it is not let in", () => {
    lab.socket.close(4403);
    vi.advanceTimersByTime(60_000);
    expect(lab.session.facts.getState()).toMatchObject({ connection: "closed", closedCode: 4403 });
    expect(FakeSocket.last).toBe(lab.socket);
  });

  it("follows run and stop by status, and forgets live state when stopped", async () => {
    const { session, socket } = lab;
    await session.run();
    expect(session.facts.getState().lab.running).toBe(true);
    expect(isBusy(session.facts.getState().status)).toBe(true);
    const running = {
      ...STOPPED,
      phase: "running",
      generation: 2,
      observed_generation: 2,
    } as const;
    socket.fact({ type: "status", status: running });
    socket.data(Stream.live, payload({ full: true, nodes: { n1: NODE } }));
    expect(session.live.node("n1")).toBeDefined();
    socket.fact({ type: "status", status: { ...running, phase: "stopped" } });
    expect(session.facts.getState().lab.running).toBe(false);
    expect(session.live.node("n1")).toBeUndefined();
  });

  it("keeps newer facts when an older answer comes late", () => {
    const { session, socket } = lab;
    const { status } = session.facts.getState();
    const late = { ...status, phase: "running" as const, generation: 7, observed_generation: 6 };
    socket.fact({ type: "status", status: { ...late, phase: "stopped", observed_generation: 7 } });
    socket.fact({ type: "status", status: late });
    expect(session.facts.getState().status.phase).toBe("stopped");
  });

  it("tells of refusals with their problems", async () => {
    lab.session.destroy();
    lab = mockLab(drawing(), { refuses: () => true });
    const trouble = vi.fn();
    lab.session.on({ trouble, probe: vi.fn(), phase: vi.fn() });
    lab.session.submit(set("nodes", "n1", { x: 5 }));
    await vi.waitFor(() => expect(trouble).toHaveBeenCalledOnce());
    expect(trouble.mock.calls[0]?.[1]).toHaveLength(1);
    expect(lab.session.topology.nodes.n1?.x).toBe(0);
  });

  it("hears that an uplink was granted and revoked", () => {
    const granted = () => lab.session.facts.getState().lab.uplink?.granted;
    lab.socket.fact({ type: "uplink", uplink: { granted: true, until: 9, reason: "" } });
    expect(granted()).toBe(true);
    const uplink = { granted: false, until: null, reason: "" };
    const { status } = lab.session.facts.getState();
    lab.socket.fact({ type: "hello", seq: 0, status, user: 1, uplink });
    expect(granted()).toBe(false);
  });

  it("shows a notice while a stream is away", () => {
    lab.session.live.setRunning(true);
    const away = { type: "notice", code: "stream-away", message: "", stream: "live" } as const;
    lab.socket.fact(away);
    expect(lab.session.facts.getState().notices).toHaveLength(1);
    expect(lab.session.live.stale).toBe(true);
    lab.socket.fact({ ...away, code: "stream-back" });
    expect(lab.session.facts.getState().notices).toHaveLength(0);
  });

  it("holds packets while paused and keeps count of what was dropped", () => {
    const rows = vi.fn();
    const { session, socket } = lab;
    session.packets.onRows(rows);
    const row = [1, 1, "l1", "ab", 1, "ICMP", "a", "b", "", 98, ""] as const;
    const batch = { gap: 2, lost: 0, tier: "afpacket", rows: [row] };
    socket.data(Stream.packets, batch);
    expect(rows).toHaveBeenCalledOnce();
    session.setPacketsPaused(true);
    socket.data(Stream.packets, { ...batch, rows: [[2, ...row.slice(1)]] });
    expect(session.packets.store.all()).toHaveLength(1);
    session.setPacketsPaused(false);
    expect(session.packets.store.all()).toHaveLength(2);
    expect(session.packets.store.gap).toBe(4);
    expect(session.packets.endsOf("l1")).toEqual({ a: "n1", b: "n2" });
  });
});
