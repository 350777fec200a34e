/**
 * Groups stay whole: the members of each are laid out by themselves, then each group is one block
 * of the outer layout. A node belongs to the smallest group that it stands in.
 */
import { circle } from "./circle";
import {
  type Block,
  CELL,
  type LayoutGraph,
  type LayoutGroup,
  type LayoutKind,
  type LayoutLink,
  type LayoutNode,
  type LayoutResult,
  type Places,
} from "./graph";
import { organic } from "./organic";
import { separate } from "./separate";
import { tiers } from "./tiers";

const RANK = { uplink: 0, router: 0, switch: 1, host: 2 } as const;
const PAD = 24;
const TITLE = 26;
const GAP = 30; // around a group's frame
const GRID = 10;

type Layout = (blocks: readonly Block[], links: readonly LayoutLink[]) => Places;
const LAYOUTS: Record<LayoutKind, Layout> = { tiers, organic, circle };

/** Places all nodes and groups; around the middle of where they were. The same input gives the same answer. */
export function arrange(graph: LayoutGraph, kind: LayoutKind): LayoutResult {
  if (graph.nodes.length === 0) return { nodes: {}, groups: {} };
  const owner = owners(graph);
  const links = graph.links.filter(({ a, b }) => a !== b && owner.has(a) && owner.has(b));
  const insides = graph.groups.map((group) => inside(group, graph, owner, links, kind));
  const blocks = [
    ...graph.nodes.filter(({ id }) => owner.get(id) === null).map(nodeBlock),
    ...insides.filter(({ members }) => members.length > 0).map(({ block }) => block),
  ];
  const outer = LAYOUTS[kind](blocks, outerLinks(links, owner));
  // Layouts take blocks as points or discs; a group's frame is neither.
  if (graph.groups.length) separate(blocks, outer);
  const result: LayoutResult = { nodes: {}, groups: {} };
  const shift = toMiddle(graph.nodes, outer);
  for (const { id } of blocks) {
    const place = outer[id];
    if (place && owner.get(id) === null) result.nodes[id] = moved(place, shift);
  }
  for (const one of insides) settle(one, outer, shift, result);
  return result;
}

interface Inside {
  group: LayoutGroup;
  members: LayoutNode[];
  places: Places;
  block: Block;
}

/** Which group each node belongs to; null for none. */
function owners({ nodes, groups }: LayoutGraph): Map<string, string | null> {
  const bySize = [...groups].sort(
    (one, other) => one.width * one.height - other.width * other.height,
  );
  return new Map(
    nodes.map(({ id, x, y }) => {
      const group = bySize.find(
        (box) => x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height,
      );
      return [id, group?.id ?? null];
    }),
  );
}

function inside(
  group: LayoutGroup,
  graph: LayoutGraph,
  owner: Map<string, string | null>,
  links: readonly LayoutLink[],
  kind: LayoutKind,
): Inside {
  const members = graph.nodes.filter(({ id }) => owner.get(id) === group.id);
  const own = links.filter(({ a, b }) => owner.get(a) === group.id && owner.get(b) === group.id);
  const places = members.length ? LAYOUTS[kind](members.map(nodeBlock), own) : {};
  const size = extent(places);
  const block = {
    id: blockId(group.id),
    rank: Math.min(2, ...members.map((node) => RANK[node.kind])),
    x: group.x + group.width / 2,
    y: group.y + group.height / 2,
    width: size.width + CELL.width + 2 * PAD + GAP,
    height: size.height + CELL.height + 2 * PAD + TITLE + GAP,
  };
  return { group, members, places, block };
}

/** Puts a group's members and its frame where its block has come to stand. */
function settle(
  { group, members, places, block }: Inside,
  outer: Places,
  shift: { x: number; y: number },
  result: LayoutResult,
): void {
  const center = outer[block.id];
  if (!center) return;
  const size = extent(places);
  const middle = moved(center, shift);
  const offset = {
    x: middle.x - size.x - size.width / 2,
    y: middle.y - size.y - size.height / 2 + TITLE / 2,
  };
  for (const { id } of members) {
    const place = places[id];
    if (place) result.nodes[id] = moved(place, offset);
  }
  const [width, height] = [block.width - GAP, block.height - GAP];
  result.groups[group.id] = { ...moved(middle, { x: -width / 2, y: -height / 2 }), width, height };
}

function outerLinks(links: readonly LayoutLink[], owner: Map<string, string | null>): LayoutLink[] {
  const end = (id: string): string => {
    const group = owner.get(id);
    return group ? blockId(group) : id;
  };
  const seen = new Set<string>();
  const outer: LayoutLink[] = [];
  for (const link of links) {
    const [a, b] = [end(link.a), end(link.b)];
    const key = `${a}\n${b}`;
    if (a === b || seen.has(key)) continue;
    seen.add(key);
    outer.push({ a, b });
  }
  return outer;
}

/** Groups and nodes may share an id; blocks may not. */
function blockId(group: string): string {
  return `group ${group}`;
}

function nodeBlock({ id, kind, x, y }: LayoutNode): Block {
  return { id, rank: RANK[kind], x, y, ...CELL };
}

function toMiddle(nodes: readonly LayoutNode[], places: Places): { x: number; y: number } {
  const before = extent(Object.fromEntries(nodes.map(({ id, x, y }) => [id, { x, y }])));
  const after = extent(places);
  return {
    x: before.x + before.width / 2 - after.x - after.width / 2,
    y: before.y + before.height / 2 - after.y - after.height / 2,
  };
}

function extent(places: Places): { x: number; y: number; width: number; height: number } {
  const all = Object.values(places);
  if (all.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  const xs = all.map(({ x }) => x);
  const ys = all.map(({ y }) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

function moved(
  place: { x: number; y: number },
  by: { x: number; y: number },
): { x: number; y: number } {
  const snap = (value: number): number => Math.round(value / GRID) * GRID;
  return { x: snap(place.x + by.x), y: snap(place.y + by.y) };
}
