import { afterEach, describe, expect, it } from "vitest";
import type { PacketEnd } from "../api/traces";
import { Editor } from "../app/editor";
import { initI18n } from "../i18n/index";
import { mockLab } from "../net/mockServer";
import type { SceneView } from "../scene/contract";
import type { MotionView } from "../scene/drawMotion";
import { content, link, node, workbench } from "../scene/testBench";
import { THEMES } from "../scene/theme";
import { painterOf } from "./painter";
import { threeNodes, VERDICT } from "./testing";

let close = () => {};
afterEach(() => close());

const END: PacketEnd = {
  packet: 7,
  time: 100,
  node: "net1",
  interface: "veth2",
  link: "c2",
  direction: "ba",
  verdict: { ...VERDICT, node: "net1", seen: true },
};

/** An editor on a scene that is only a clock, and a pen that notes what it writes. */
function setup() {
  const lab = mockLab(threeNodes(), { running: true });
  close = () => lab.session.destroy();
  const editor = new Editor(lab.session, initI18n().t);
  const clock = { now: 1_000 };
  editor.scene = { now: () => clock.now, repaint: () => {} } as SceneView;
  const { bench } = workbench(
    content({
      nodes: [node("net2", 100, 300), node("net1", 400, 300), node("host", 700, 300)],
      links: [link("c1", "net2", "net1"), link("c2", "net1", "host")],
    }),
  );
  const written: string[] = [];
  const pen = new Proxy({} as Record<string, unknown>, {
    get: (known, name: string) =>
      name === "fillText" ? (text: string) => written.push(text) : (known[name] ?? (() => {})),
    set: (known, name: string, value) => {
      known[name] = value;
      return true;
    },
  });
  const draw = () => {
    written.length = 0;
    const { camera, model, traffic } = bench;
    const view = { surface: { pen }, camera, model, traffic, theme: THEMES.light, now: clock.now };
    return painterOf(editor).draw(view as unknown as MotionView);
  };
  return { editor, lab, clock, draw, written };
}

describe("the marks of packets that ended", () => {
  it("stay for some seconds of the scene's clock, fade, and go", () => {
    const { editor, clock, draw, written } = setup();
    painterOf(editor).mark([END]);
    expect(draw()).toBe(false);
    expect(written.join(" ")).toContain("net2 has no route back.");
    clock.now += 8_900;
    expect(draw()).toBe(true);
    clock.now += 200;
    draw();
    expect(written).toEqual([]);
  });

  it("come when the picture of the packet has come there", () => {
    const { editor, clock, draw, written } = setup();
    editor.playout = { arrival: () => 3_000 } as never;
    painterOf(editor).mark([END]);
    draw();
    expect(written).toEqual([]);
    clock.now = 3_000;
    draw();
    expect(written).not.toEqual([]);
  });

  it("stay while the packet is picked, and lead to its story", () => {
    const { editor, lab, clock, draw, written } = setup();
    const row = [1, 100, "c2", "ba", 7, "ICMP", "a", "b", "echo", 98, ""];
    lab.session.packets.receive({ gap: 0, lost: 0, tier: "bpf", rows: [row as never] });
    editor.ui.setState({ pickedPacket: 1 });
    painterOf(editor).mark([END]);
    clock.now += 60_000;
    draw();
    expect(written).not.toEqual([]);
    // On the cable's end at net1, across from the way that leads to the left.
    const painter = painterOf(editor);
    expect(painter.press({ x: 20, y: 20 })).toBe(false);
    expect(painter.press({ x: 450, y: 281 })).toBe(true);
    expect(editor.ui.getState().story).toEqual({ kind: "packet", packet: 7 });
  });
});
