import type { Point } from "./geometry";

export const GRID = 10; // world px

/** A line that shows what the dragged thing is aligned with. */
export interface Guide {
  axis: "x" | "y";
  at: number; // the shared coordinate
  from: number; // extent along the other axis
  to: number;
}

export interface Snapped extends Point {
  guides: Guide[];
}

/** Snaps a point to the centre lines of others within `reach`, else to the grid. */
export function snapPoint(point: Point, others: Iterable<Point>, reach: number): Snapped {
  let bestX: Point | null = null;
  let bestY: Point | null = null;
  for (const other of others) {
    if (nearer(other.x, point.x, bestX?.x, reach)) bestX = other;
    if (nearer(other.y, point.y, bestY?.y, reach)) bestY = other;
  }
  const x = bestX?.x ?? snapValue(point.x);
  const y = bestY?.y ?? snapValue(point.y);
  const guides: Guide[] = [];
  if (bestX) guides.push({ axis: "x", at: x, ...extent(bestX.y, y) });
  if (bestY) guides.push({ axis: "y", at: y, ...extent(bestY.x, x) });
  return { x, y, guides };
}

export function snapValue(value: number): number {
  return Math.round(value / GRID) * GRID;
}

function nearer(
  candidate: number,
  value: number,
  best: number | undefined,
  reach: number,
): boolean {
  const distance = Math.abs(candidate - value);
  return distance <= reach && (best === undefined || distance < Math.abs(best - value));
}

function extent(a: number, b: number): { from: number; to: number } {
  return { from: Math.min(a, b) - 40, to: Math.max(a, b) + 40 };
}
