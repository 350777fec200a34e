/** The product's own scene under the benchmark's load. */
import type { PacketPassage, SceneContent, SceneLink } from "../src/scene/contract";
import { createScene } from "../src/scene/index";
import * as bench from "./topology";

function sceneLink(index: number): SceneLink {
  const link = bench.links[index] as bench.BenchLink;
  return {
    id: link.id,
    a: `n${link.a}`,
    b: `n${link.b}`,
    portA: `eth${index % 4}`,
    portB: `p${index % 8}`,
    state: "up",
    blockedEnd: null,
    rate: link.rate,
    rateLabel: bench.rateLabel(link.rate),
    alarm: null,
  };
}

function content(): SceneContent {
  return {
    nodes: bench.nodes.map((node) => ({
      ...node,
      label: "10.0.0.1",
      state: "up",
      drift: false,
      problem: null,
      badges: [],
    })),
    links: bench.links.map((_, index) => sceneLink(index)),
    groups: [],
    notes: [],
  };
}

const nothing = (): void => {};
const scene = createScene(document.getElementById("host") as HTMLElement, {
  select: (ids) => scene.setSelection(new Set(ids)),
  move: (moves, done) => {
    if (!done) return;
    for (const { id, x, y } of moves)
      Object.assign(bench.nodes[Number(id.slice(1))] ?? {}, { x, y });
    scene.setContent(content());
  },
  connect: nothing,
  place: nothing,
  dropOnLink: nothing,
  open: nothing,
  menu: nothing,
  probe: nothing,
  pickPacket: nothing,
  toolDone: nothing,
  camera: nothing,
  hover: nothing,
  trace: nothing,
});
scene.setContent(content());
scene.fit();

/** Keeps every packet under way: the next passage is booked before the last one ends. */
const free = bench.packets.map(() => 0);
function feed(): void {
  const horizon = scene.now() + 300;
  const passages: PacketPassage[] = [];
  bench.packets.forEach((packet, index) => {
    if ((free[index] ?? 0) > horizon) return;
    const start = Math.max(free[index] ?? 0, scene.now());
    const end = start + (1_000 * (1 - packet.t)) / packet.speed;
    const { link, forward, protocol } = packet;
    const id = bench.links[link]?.id ?? "";
    passages.push({ link: id, forward, start, end, protocol, packet: index, number: index });
    free[index] = end;
    bench.turn(packet);
  });
  scene.addPackets(passages);
}
feed();
setInterval(feed, 100);
bench.everyRate((indices) => scene.updateLinks(indices.map(sceneLink)));
bench.recordFrames();
Object.assign(window, {
  scene,
  nodeAt: (index: number) => {
    const node = bench.nodes[index] as bench.BenchNode;
    return scene.worldToClient(node.x, node.y);
  },
  ready: true,
});
