/** The same drawing for both candidates: nodes on a jittered grid, mostly local cables, packets that wander. */

export interface BenchNode {
  id: string;
  kind: "host" | "router" | "switch";
  name: string;
  x: number;
  y: number;
}

export interface BenchLink {
  id: string;
  a: number; // indices of nodes
  b: number;
  rate: number; // bit/s
}

export interface BenchPacket {
  link: number;
  forward: boolean;
  t: number; // 0 to 1 along its way
  speed: number; // cables a second
  protocol: string;
}

export const NODES = 1_000;
export const LINKS = 1_500;
export const PACKETS = 500;
export const LABELS = 300; // change five times a second
const COLUMNS = 40;
const KINDS = ["host", "router", "switch"] as const;
const PROTOCOLS = ["TCP", "ICMP", "ARP", "UDP", "DNS"];

/** A linear congruential generator: both pages must see the same numbers. */
let seed = 12_345;
export function random(): number {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return seed / 0x7fffffff;
}

export const nodes: BenchNode[] = Array.from({ length: NODES }, (_, i) => ({
  id: `n${i}`,
  kind: KINDS[(i * 7) % 3] ?? "host",
  name: `${KINDS[(i * 7) % 3]}${i}`,
  x: (i % COLUMNS) * 170 + random() * 40,
  y: Math.floor(i / COLUMNS) * 130 + random() * 30,
}));

export const links: BenchLink[] = [];
const joined = new Set<string>();

function join(a: number, b: number): void {
  const key = `${Math.min(a, b)}-${Math.max(a, b)}`;
  if (a === b || b < 0 || b >= NODES || joined.has(key)) return;
  joined.add(key);
  links.push({ id: `l${links.length}`, a, b, rate: random() * 1e8 });
}

for (let i = 0; i < NODES && links.length < LINKS; i++) if ((i + 1) % COLUMNS) join(i, i + 1);
while (links.length < LINKS) {
  const a = Math.floor(random() * NODES);
  join(a, a + COLUMNS + ([0, 0, 1, -1][Math.floor(random() * 4)] ?? 0));
}

const attached: number[][] = nodes.map(() => []);
links.forEach(({ a, b }, index) => {
  attached[a]?.push(index);
  attached[b]?.push(index);
});

export const packets: BenchPacket[] = Array.from({ length: PACKETS }, (_, i) => ({
  link: Math.floor(random() * LINKS),
  forward: true,
  t: random(),
  speed: 0.4 + random() * 0.8,
  protocol: PROTOCOLS[i % 5] ?? "TCP",
}));

/** Puts a packet that has arrived on some cable that goes on from there. */
export function turn(packet: BenchPacket): void {
  const link = links[packet.link];
  const at = (packet.forward ? link?.b : link?.a) ?? 0;
  const choice = attached[at] ?? [];
  packet.link = choice[Math.floor(random() * choice.length)] ?? 0;
  packet.forward = links[packet.link]?.a === at;
  packet.t = 0;
}

export function rateLabel(rate: number): string {
  return `${(rate / 1e6).toFixed(1)} Mb/s`;
}

/** Calls five times a second with the cables whose rate has changed. */
export function everyRate(change: (indices: number[]) => void): void {
  let tick = 0;
  setInterval(() => {
    tick += 1;
    const indices = Array.from({ length: LABELS }, (_, k) => (k * 5 + tick) % LINKS);
    for (const i of indices) {
      const link = links[i];
      if (link) link.rate = ((i * 37 + tick * 13) % 1000) * 1e5;
    }
    change(indices);
  }, 200);
}

/** The frame intervals of the page, for the measuring script. */
export function recordFrames(): void {
  const frames: number[] = [];
  Object.assign(window, { frames });
  let last = performance.now();
  const next = (time: number): void => {
    frames.push(time - last);
    last = time;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}
