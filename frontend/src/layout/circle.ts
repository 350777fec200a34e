/** One ring, neighbours next to each other where that can be. */
import { adjacency, type Block, type LayoutLink, type Places } from "./graph";

export function circle(blocks: readonly Block[], links: readonly LayoutLink[]): Places {
  const places: Places = {};
  const only = blocks[0];
  if (blocks.length === 1 && only) return { [only.id]: { x: 0, y: 0 } };
  const order = walk(blocks, links);
  const arcs = order.map((block) => Math.hypot(block.width, block.height) * 0.8);
  const length = arcs.reduce((sum, arc) => sum + arc, 0);
  const radius = Math.max(110, length / (2 * Math.PI));
  let travelled = 0;
  order.forEach((block, index) => {
    const arc = arcs[index] ?? 0;
    const angle = ((travelled + arc / 2) / length) * 2 * Math.PI - Math.PI / 2;
    travelled += arc;
    places[block.id] = { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
  return places;
}

/** Depth first from the core, so that a chain stays a chain. */
function walk(blocks: readonly Block[], links: readonly LayoutLink[]): Block[] {
  const byId = new Map(blocks.map((block) => [block.id, block]));
  const neighbours = adjacency(links);
  const seen = new Set<string>();
  const order: Block[] = [];
  const roots = [...blocks].sort(
    (one, other) => one.rank - other.rank || one.id.localeCompare(other.id),
  );
  for (const root of roots) {
    const stack = [root.id];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      const block = byId.get(id);
      if (!block || seen.has(id)) continue;
      seen.add(id);
      order.push(block);
      stack.push(...[...(neighbours.get(id) ?? [])].reverse());
    }
  }
  return order;
}
