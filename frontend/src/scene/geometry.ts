/** Plane geometry in world px. Pure. */

export interface Point {
  x: number;
  y: number;
}

export interface Rect extends Point {
  width: number;
  height: number;
}

/** A quadratic Bézier; straight when the control point is the middle. */
export interface Curve {
  ax: number;
  ay: number;
  cx: number;
  cy: number;
  bx: number;
  by: number;
  straight: boolean;
}

/** The point at `t`, 0 at a and 1 at b. */
export function curvePoint(curve: Curve, t: number): Point {
  const u = 1 - t;
  if (curve.straight) {
    return { x: curve.ax * u + curve.bx * t, y: curve.ay * u + curve.by * t };
  }
  return {
    x: u * u * curve.ax + 2 * u * t * curve.cx + t * t * curve.bx,
    y: u * u * curve.ay + 2 * u * t * curve.cy + t * t * curve.by,
  };
}

/** Unit vector in which the curve runs at `t`. */
export function curveDirection(curve: Curve, t: number): Point {
  const dx = (1 - t) * (curve.cx - curve.ax) + t * (curve.bx - curve.cx);
  const dy = (1 - t) * (curve.cy - curve.ay) + t * (curve.by - curve.cy);
  const length = Math.hypot(dx, dy) || 1;
  return { x: dx / length, y: dy / length };
}

/** Length, by chords where it bends. */
export function curveLength(curve: Curve): number {
  if (curve.straight) return Math.hypot(curve.bx - curve.ax, curve.by - curve.ay);
  let length = 0;
  let last = curvePoint(curve, 0);
  for (let step = 1; step <= 8; step++) {
    const next = curvePoint(curve, step / 8);
    length += Math.hypot(next.x - last.x, next.y - last.y);
    last = next;
  }
  return length;
}

/** Distance from a point, exact when straight, by chords where it bends. */
export function curveDistance(curve: Curve, point: Point): number {
  const steps = curve.straight ? 1 : 12;
  let least = Number.POSITIVE_INFINITY;
  let last = curvePoint(curve, 0);
  for (let step = 1; step <= steps; step++) {
    const next = curvePoint(curve, step / steps);
    least = Math.min(least, segmentDistance(last, next, point));
    last = next;
  }
  return least;
}

/** Distance of a point from the segment a–b. */
export function segmentDistance(a: Point, b: Point, point: Point): number {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const square = dx * dx + dy * dy;
  const t = square ? ((point.x - a.x) * dx + (point.y - a.y) * dy) / square : 0;
  const u = Math.max(0, Math.min(1, t));
  return Math.hypot(a.x + u * dx - point.x, a.y + u * dy - point.y);
}

export function curveBounds(curve: Curve): Rect {
  const middle = curvePoint(curve, 0.5);
  const left = Math.min(curve.ax, curve.bx, middle.x);
  const top = Math.min(curve.ay, curve.by, middle.y);
  return {
    x: left,
    y: top,
    width: Math.max(curve.ax, curve.bx, middle.x) - left,
    height: Math.max(curve.ay, curve.by, middle.y) - top,
  };
}

export function contains(rect: Rect, point: Point): boolean {
  return (
    point.x >= rect.x &&
    point.y >= rect.y &&
    point.x <= rect.x + rect.width &&
    point.y <= rect.y + rect.height
  );
}

export function overlaps(one: Rect, other: Rect): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

/** Whether `inner` lies wholly in `outer`. */
export function encloses(outer: Rect, inner: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

export function inflate(rect: Rect, by: number): Rect {
  return {
    x: rect.x - by,
    y: rect.y - by,
    width: rect.width + 2 * by,
    height: rect.height + 2 * by,
  };
}

/** The rectangle around a centre. */
export function around(center: Point, width: number, height: number): Rect {
  return { x: center.x - width / 2, y: center.y - height / 2, width, height };
}

/** The rectangle between two corners, in any order. */
export function between(a: Point, b: Point): Rect {
  return {
    x: Math.min(a.x, b.x),
    y: Math.min(a.y, b.y),
    width: Math.abs(a.x - b.x),
    height: Math.abs(a.y - b.y),
  };
}

/** The least rectangle around all; null for none. */
export function union(rects: Iterable<Rect>): Rect | null {
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const rect of rects) {
    left = Math.min(left, rect.x);
    top = Math.min(top, rect.y);
    right = Math.max(right, rect.x + rect.width);
    bottom = Math.max(bottom, rect.y + rect.height);
  }
  return left > right ? null : { x: left, y: top, width: right - left, height: bottom - top };
}

/** The point `distance` px from a centre towards one side. */
export function nodeSide(
  center: Point,
  side: "north" | "east" | "south" | "west",
  distance: number,
): Point {
  const dx = side === "east" ? distance : side === "west" ? -distance : 0;
  const dy = side === "south" ? distance : side === "north" ? -distance : 0;
  return { x: center.x + dx, y: center.y + dy };
}
