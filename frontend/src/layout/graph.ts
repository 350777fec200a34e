/** What a layout gets and gives. Centres of nodes and corners of groups, in world px. */

export type LayoutKind = "tiers" | "organic" | "circle";

export interface LayoutNode {
  id: string;
  kind: "host" | "router" | "switch" | "uplink";
  x: number;
  y: number;
}

export interface LayoutLink {
  a: string;
  b: string;
}

export interface LayoutGroup {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LayoutGraph {
  nodes: LayoutNode[];
  links: LayoutLink[];
  groups: LayoutGroup[];
}

export interface LayoutResult {
  nodes: Record<string, { x: number; y: number }>;
  groups: Record<string, { x: number; y: number; width: number; height: number }>;
}

/** Something to place: a node, or a whole group as one block. */
export interface Block {
  id: string;
  rank: number; // 0: core (routers), 1: switches, 2: hosts
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Places {
  [id: string]: { x: number; y: number };
}

export const CELL = { width: 130, height: 120 }; // room that a node takes with its text

/** Who is cabled to whom. */
export function adjacency(links: readonly LayoutLink[]): Map<string, string[]> {
  const neighbours = new Map<string, string[]>();
  const join = (from: string, to: string): void => {
    const known = neighbours.get(from);
    if (known) known.push(to);
    else neighbours.set(from, [to]);
  };
  for (const { a, b } of links) {
    join(a, b);
    join(b, a);
  }
  return neighbours;
}
