/** Where the port pills and the middle label of a cable stand, so that they keep clear of nodes and of each other. */
import {
  around,
  curveDirection,
  curveLength,
  curvePoint,
  overlaps,
  type Point,
  type Rect,
} from "./geometry";
import type { HitTester } from "./hitTest";
import { type LinkItem, type NodeItem, nodeBox, type SceneModel } from "./model";
import { textWidth } from "./text";
import { FONT } from "./theme";

export const PILL_HEIGHT = 15;

export interface PortLabel {
  x: number;
  y: number;
  t: number; // place along the cable
  width: number;
  text: string;
}

export interface LinkLabels {
  a: PortLabel | null;
  b: PortLabel | null;
  middle: Point; // of a badge, on the cable
  rate: { x: number; y: number; align: CanvasTextAlign };
}

/** Plans once, until something moves; then only what is near the change is planned anew. */
export class LabelPlanner {
  private readonly plans = new Map<string, LinkLabels>();
  private readonly pills = new Map<string, Map<string, PortLabel>>(); // node → link end → pill
  private planned = -1;

  constructor(
    private readonly model: SceneModel,
    private readonly tester: HitTester,
  ) {}

  of(link: LinkItem): LinkLabels {
    if (this.planned !== this.model.geometry) this.forget();
    const known = this.plans.get(link.id);
    if (known) return known;
    const plan = {
      a: this.pillsOf(link.a).get(`${link.id} a`) ?? null,
      b: this.pillsOf(link.b).get(`${link.id} b`) ?? null,
      ...this.middleOf(link),
    };
    this.plans.set(link.id, plan);
    return plan;
  }

  forget(): void {
    this.plans.clear();
    this.pills.clear();
    this.planned = this.model.geometry;
  }

  private pillsOf(node: NodeItem): Map<string, PortLabel> {
    const known = this.pills.get(node.id);
    if (known) return known;
    const placed = new Map<string, PortLabel>();
    for (const link of node.links) {
      if (link.a === node) placePill(link, "a", placed);
      if (link.b === node) placePill(link, "b", placed);
    }
    this.pills.set(node.id, placed);
    return placed;
  }

  private middleOf(link: LinkItem): Pick<LinkLabels, "middle" | "rate"> {
    const spot = [0.5, 0.4, 0.6, 0.33, 0.67].find((t) => this.isFree(link, t)) ?? 0.5;
    const middle = curvePoint(link.curve, spot);
    const along = curveDirection(link.curve, spot);
    const flat = Math.abs(along.x) > Math.abs(along.y);
    const rate = flat
      ? { x: middle.x, y: middle.y - 14, align: "center" as const }
      : { x: middle.x + 10, y: middle.y + 4, align: "left" as const };
    return { middle, rate };
  }

  private isFree(link: LinkItem, t: number): boolean {
    const area = around(curvePoint(link.curve, t), 84, 36);
    for (const node of this.tester.nodesNear(area)) {
      if (node !== link.a && node !== link.b && overlaps(nodeBox(node), area)) return false;
    }
    return true;
  }
}

function placePill(link: LinkItem, end: "a" | "b", placed: Map<string, PortLabel>): void {
  const text = end === "a" ? link.data.portA : link.data.portB;
  if (!text) return;
  const width = Math.ceil(textWidth(FONT.port, text)) + 10;
  const length = curveLength(link.curve);
  const taken = [...placed.values()].map(pillRect);
  let offset = clearance(link, end, width);
  let pill = pillAt(link, end, offset, length, width, text);
  for (let step = 0; step < 4 && taken.some((rect) => overlaps(rect, pillRect(pill))); step++) {
    offset += PILL_HEIGHT + 1;
    if (offset > length * 0.45) break;
    pill = pillAt(link, end, offset, length, width, text);
  }
  placed.set(`${link.id} ${end}`, pill);
}

export function pillRect(pill: PortLabel): Rect {
  return around(pill, pill.width, PILL_HEIGHT);
}

function pillAt(
  link: LinkItem,
  end: "a" | "b",
  offset: number,
  length: number,
  width: number,
  text: string,
): PortLabel {
  const t = Math.min(0.45, offset / Math.max(1, length));
  const along = end === "a" ? t : 1 - t;
  return { ...curvePoint(link.curve, along), t: along, width, text };
}

/** How far along its cable a pill must stand to be clear of the node's box and of the text below it. */
function clearance(link: LinkItem, end: "a" | "b", width: number): number {
  const direction = curveDirection(link.curve, end === "a" ? 0.15 : 0.85);
  const [dx, dy] = end === "a" ? [direction.x, direction.y] : [-direction.x, -direction.y];
  if (dy > 0.7) return 72;
  const sideways = (30 + width / 2) / Math.max(0.01, Math.abs(dx));
  const upright = (dy > 0 ? 66 : 38) / Math.max(0.01, Math.abs(dy));
  return Math.min(sideways, upright);
}
