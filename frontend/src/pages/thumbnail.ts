/** A drawing in small: where its boxes and cables lie. */

import type { NodeKind, Topology } from "../doc/model";

export interface SmallNode {
  id: string;
  kind: NodeKind;
  x: number;
  y: number;
}

export interface SmallLink {
  id: string;
  from: SmallNode;
  to: SmallNode;
}

export interface Small {
  viewBox: string;
  nodes: SmallNode[];
  links: SmallLink[];
  groups: { id: string; color: string; x: number; y: number; width: number; height: number }[];
  detailed: boolean; // large enough for the nodes' signs
}

const TILE = 54; // px of a node's box in the world
const MARGIN = 24;
const LEAST = { width: 420, height: 210 }; // a single node is not blown up
const DETAILED = 900; // px: wider drawings show plain tiles

/** What a thumbnail shows; null for an empty drawing. */
export function smallOf({ nodes, interfaces, links, groups }: Topology): Small | null {
  const boxes = Object.entries(groups).map(([id, { color, x, y, width, height }]) => ({
    id,
    color,
    x,
    y,
    width,
    height,
  }));
  const places = new Map<string, SmallNode>(
    Object.entries(nodes).map(([id, { kind, x, y }]) => [id, { id, kind, x, y }]),
  );
  const rims = [...places.values()].map(({ x, y }) => ({
    x: x - TILE / 2,
    y: y - TILE / 2,
    width: TILE,
    height: TILE,
  }));
  const all = [...rims, ...boxes];
  if (all.length === 0) return null;
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y, width, height } of all) {
    bounds.left = Math.min(bounds.left, x);
    bounds.top = Math.min(bounds.top, y);
    bounds.right = Math.max(bounds.right, x + width);
    bounds.bottom = Math.max(bounds.bottom, y + height);
  }
  const width = Math.max(LEAST.width, bounds.right - bounds.left + 2 * MARGIN);
  const height = Math.max(LEAST.height, bounds.bottom - bounds.top + 2 * MARGIN);
  const left = (bounds.left + bounds.right - width) / 2;
  const top = (bounds.top + bounds.bottom - height) / 2;
  return {
    viewBox: [left, top, width, height].map(Math.round).join(" "),
    nodes: [...places.values()],
    links: Object.entries(links).flatMap(([id, link]) => {
      const from = places.get(interfaces[link.a]?.node ?? "");
      const to = places.get(interfaces[link.b]?.node ?? "");
      return from && to ? [{ id, from, to }] : [];
    }),
    groups: boxes,
    detailed: Math.max(width, 2 * height) <= DETAILED,
  };
}
