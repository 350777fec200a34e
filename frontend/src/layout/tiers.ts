/** Layers from the core down: routers above switches above hosts. */
import dagre from "@dagrejs/dagre";
import { adjacency, type Block, CELL, type LayoutLink, type Places } from "./graph";

const DAGRE_MOST = 300; // blocks; beyond, dagre takes tens of seconds

export function tiers(blocks: readonly Block[], links: readonly LayoutLink[]): Places {
  return blocks.length <= DAGRE_MOST ? layered(blocks, links) : wide(blocks, links);
}

/** The Sugiyama layout of dagre, cables pointing from the core to the edge. */
function layered(blocks: readonly Block[], links: readonly LayoutLink[]): Places {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 56, edgesep: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  const rank = new Map(blocks.map((block) => [block.id, block.rank]));
  for (const { id, width, height } of blocks) graph.setNode(id, { width, height });
  for (const { a, b } of links) {
    const downwards = (rank.get(a) ?? 0) <= (rank.get(b) ?? 0);
    graph.setEdge(downwards ? a : b, downwards ? b : a);
  }
  dagre.layout(graph);
  const places: Places = {};
  for (const { id } of blocks) {
    const { x, y } = graph.node(id) as { x: number; y: number };
    places[id] = { x, y };
  }
  return places;
}

/** Breadth-first tiers from the core; each block as near below its parents as its neighbours allow. */
function wide(blocks: readonly Block[], links: readonly LayoutLink[]): Places {
  const depth = depths(blocks, links);
  const rows = new Map<number, Block[]>();
  for (const block of blocks) {
    const row = depth.get(block.id) ?? 0;
    rows.set(row, [...(rows.get(row) ?? []), block]);
  }
  const neighbours = adjacency(links);
  const places: Places = {};
  let top = 0;
  for (const [, row] of [...rows].sort(([one], [other]) => one - other)) {
    top = placeRow(row, neighbours, places, top) + CELL.height / 2;
  }
  return places;
}

interface Wish {
  block: Block;
  x: number;
}

/** A row that would be too wide is dealt out to several lines, like cards; returns its lower edge. */
function placeRow(
  row: readonly Block[],
  neighbours: Map<string, string[]>,
  places: Places,
  top: number,
): number {
  const wishes = row
    .map((block): Wish => {
      const xs = (neighbours.get(block.id) ?? []).flatMap((id) => places[id]?.x ?? []);
      return { block, x: xs.length ? xs.reduce((sum, x) => sum + x, 0) / xs.length : 0 };
    })
    .sort((one, other) => one.x - other.x || one.block.id.localeCompare(other.block.id));
  const lines = Math.ceil(row.length / Math.max(24, Math.ceil(Math.sqrt(row.length * 6))));
  let y = top;
  for (let line = 0; line < lines; line++) {
    const dealt = wishes.filter((_, index) => index % lines === line);
    const height = Math.max(...dealt.map(({ block }) => block.height));
    const xs = nearestApart(dealt);
    dealt.forEach(({ block }, index) => {
      places[block.id] = { x: xs[index] ?? 0, y: y + height / 2 };
    });
    y += height;
  }
  return y;
}

/**
 * The places nearest to the wishes (least squares) that keep the order and do not overlap: without
 * the widths this is isotonic regression, solved by pooling neighbours that violate the order.
 */
function nearestApart(line: readonly Wish[]): number[] {
  let edge = 0;
  const offsets = line.map(({ block }) => {
    const offset = edge + block.width / 2;
    edge += block.width;
    return offset;
  });
  const pools: { sum: number; count: number }[] = [];
  line.forEach(({ x }, index) => {
    let pool = { sum: x - (offsets[index] ?? 0), count: 1 };
    for (let last = pools.at(-1); last && mean(last) > mean(pool); last = pools.at(-1)) {
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
      pools.pop();
    }
    pools.push(pool);
  });
  const starts = pools.flatMap((pool) => Array<number>(pool.count).fill(mean(pool)));
  return offsets.map((offset, index) => offset + (starts[index] ?? 0));
}

function mean({ sum, count }: { sum: number; count: number }): number {
  return sum / count;
}

function depths(blocks: readonly Block[], links: readonly LayoutLink[]): Map<string, number> {
  const neighbours = adjacency(links);
  const depth = new Map<string, number>();
  for (const start of [...blocks].sort((one, other) => one.rank - other.rank)) {
    if (depth.has(start.id)) continue;
    // All blocks of the core's rank are roots together; what they do not reach follows on its own.
    const roots = blocks.filter(({ id, rank }) => rank === start.rank && !depth.has(id));
    const queue = roots.map(({ id }) => id);
    for (const id of queue) depth.set(id, 0);
    for (let head = 0; head < queue.length; head++) {
      const id = queue[head] ?? "";
      for (const next of neighbours.get(id) ?? []) {
        if (depth.has(next)) continue;
        depth.set(next, (depth.get(id) ?? 0) + 1);
        queue.push(next);
      }
    }
  }
  return depth;
}
