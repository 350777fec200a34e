import type { Curve, Point, Rect } from "./geometry";
import { curveLength, curvePoint } from "./geometry";

/** A uniform grid over the plane: which items are near a point, without looking at all of them. */
export class HitGrid<Item> {
  private readonly cells = new Map<number, Item[]>();

  constructor(private readonly size = 128) {}

  insertRect(rect: Rect, item: Item): void {
    const [left, top] = [this.index(rect.x), this.index(rect.y)];
    const [right, bottom] = [this.index(rect.x + rect.width), this.index(rect.y + rect.height)];
    for (let column = left; column <= right; column++) {
      for (let row = top; row <= bottom; row++) this.put(column, row, item);
    }
  }

  /** Enters the cells that a curve passes, not those of its whole bounding box. */
  insertCurve(curve: Curve, item: Item): void {
    const steps = Math.max(1, Math.ceil((curveLength(curve) / this.size) * 2));
    let last = Number.NaN;
    for (let step = 0; step <= steps; step++) {
      const point = curvePoint(curve, step / steps);
      const key = cellKey(this.index(point.x), this.index(point.y));
      if (key !== last) this.put(this.index(point.x), this.index(point.y), item);
      last = key;
    }
  }

  /** Items of the cells within `reach` of the point, each once, in no order. */
  near(point: Point, reach = 0): Set<Item> {
    return this.within({
      x: point.x - reach,
      y: point.y - reach,
      width: 2 * reach,
      height: 2 * reach,
    });
  }

  within(rect: Rect): Set<Item> {
    const found = new Set<Item>();
    for (let column = this.index(rect.x); column <= this.index(rect.x + rect.width); column++) {
      for (let row = this.index(rect.y); row <= this.index(rect.y + rect.height); row++) {
        for (const item of this.cells.get(cellKey(column, row)) ?? []) found.add(item);
      }
    }
    return found;
  }

  private index(value: number): number {
    return Math.floor(value / this.size);
  }

  private put(column: number, row: number, item: Item): void {
    const key = cellKey(column, row);
    const cell = this.cells.get(key);
    if (cell) cell.push(item);
    else this.cells.set(key, [item]);
  }
}

/** One number for a cell; unique within ±2²⁰ cells. */
function cellKey(column: number, row: number): number {
  return (column + 0x100000) * 0x200000 + (row + 0x100000);
}
