/** Force-directed placement: cables pull, nodes push. Deterministic: d3-force's own generator is seeded. */
import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from "d3-force";
import type { Block, LayoutLink, Places } from "./graph";

interface Particle extends SimulationNodeDatum {
  id: string;
  radius: number;
}

export function organic(blocks: readonly Block[], links: readonly LayoutLink[]): Places {
  const start = onSpiral(blocks);
  const particles: Particle[] = blocks.map(({ id, width, height }) => ({
    id,
    radius: Math.hypot(width, height) / 2.5,
    ...start[id],
  }));
  const radius = new Map(particles.map((particle) => [particle.id, particle.radius]));
  const pull: SimulationLinkDatum<Particle>[] = links.map(({ a, b }) => ({ source: a, target: b }));
  forceSimulation(particles)
    .force(
      "link",
      forceLink<Particle, SimulationLinkDatum<Particle>>(pull)
        .id((particle) => particle.id)
        .distance(({ source, target }) => 30 + reach(source, radius) + reach(target, radius))
        .strength(0.5),
    )
    .force("collide", forceCollide<Particle>((particle) => particle.radius).iterations(2))
    .force("push", forceManyBody<Particle>().strength(-420).distanceMax(900))
    .force("x", forceX<Particle>(0).strength(0.04))
    .force("y", forceY<Particle>(0).strength(0.06))
    .stop()
    .tick(blocks.length > 300 ? 120 : 300);
  return Object.fromEntries(particles.map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}

function reach(end: Particle | string | number, radius: Map<string, number>): number {
  return typeof end === "object" ? end.radius : (radius.get(String(end)) ?? 0);
}

/** A start without chance: the larger the degree of order, the nearer the middle. */
function onSpiral(blocks: readonly Block[]): Places {
  const places: Places = {};
  [...blocks]
    .sort((one, other) => one.rank - other.rank || one.id.localeCompare(other.id))
    .forEach(({ id }, index) => {
      const angle = index * 2.399963; // the golden angle
      const radius = 70 * Math.sqrt(index);
      places[id] = { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
    });
  return places;
}
