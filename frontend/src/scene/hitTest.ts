import { contains, curveDistance, inflate, nodeSide, type Point, type Rect } from "./geometry";
import { HitGrid } from "./hitGrid";
import { type BoxItem, type LinkItem, type NodeItem, nodeBox, type SceneModel } from "./model";

export type Side = "north" | "east" | "south" | "west";
export type Edge = "nw" | "ne" | "sw" | "se";

export type Hit =
  | { kind: "node"; id: string }
  | { kind: "link"; id: string }
  | { kind: "note"; id: string }
  | { kind: "group"; id: string }
  | { kind: "port"; id: string; side: Side }
  | { kind: "handle"; id: string; edge: Edge };

const CABLE_REACH = 8; // screen px
const HANDLE_REACH = 12;
const PORT_REACH = 12;
const BORDER_REACH = 7;
const TITLE = 34; // world px of a group's head that can be grabbed
const SIDES: readonly Side[] = ["north", "east", "south", "west"];

/** What lies under a point, topmost first. */
export class HitTester {
  private nodes = new HitGrid<NodeItem>();
  private links = new HitGrid<LinkItem>();
  private nodesBuilt = -1;
  private linksBuilt = -1;

  constructor(private readonly model: SceneModel) {}

  /** Topmost thing at a world point; `zoom` turns the reach from screen px. */
  at(point: Point, zoom: number): Hit | null {
    const node = this.node(point);
    if (node) return { kind: "node", id: node.id };
    const link = this.link(point, CABLE_REACH / zoom);
    if (link) return { kind: "link", id: link.id };
    const note = last(this.model.notes.values(), (box) => contains(box, point));
    if (note) return { kind: "note", id: note.id };
    const group = last(this.model.groups.values(), (box) => onFrame(box, point, zoom));
    return group ? { kind: "group", id: group.id } : null;
  }

  node(point: Point): NodeItem | null {
    this.buildNodes();
    return last(this.nodes.near(point), (node) => contains(inflate(nodeBox(node), 3), point));
  }

  link(point: Point, reach: number): LinkItem | null {
    this.buildLinks();
    let best: LinkItem | null = null;
    let least = reach;
    for (const link of this.links.near(point, reach)) {
      const distance = curveDistance(link.curve, point);
      if (distance <= least) [best, least] = [link, distance];
    }
    return best;
  }

  /** A port dot of the node whose dots are shown. */
  port(id: string, point: Point, zoom: number): Side | null {
    const node = this.model.nodes.get(id);
    if (!node) return null;
    return (
      SIDES.find((side) => {
        const dot = portPoint(node, side);
        return Math.hypot(dot.x - point.x, dot.y - point.y) <= PORT_REACH / zoom;
      }) ?? null
    );
  }

  /** A resize handle of a note or group. */
  handle(id: string, point: Point, zoom: number): Edge | null {
    const box = this.model.box(id);
    if (!box) return null;
    const corner = corners(box).find(
      ({ x, y }) => Math.hypot(x - point.x, y - point.y) <= HANDLE_REACH / zoom,
    );
    return corner?.edge ?? null;
  }

  /** Ids of nodes, notes and groups of which enough is in the rectangle, and cables between those nodes. */
  inside(rect: Rect): string[] {
    const nodes = [...this.model.nodes.values()].filter((node) => contains(rect, node));
    const chosen = new Set(nodes.map((node) => node.id));
    const links = [...this.model.links.values()].filter(
      (link) => chosen.has(link.a.id) && chosen.has(link.b.id),
    );
    const boxes = [...this.model.notes.values(), ...this.model.groups.values()].filter((box) =>
      corners(box).every((corner) => contains(rect, corner)),
    );
    return [...nodes, ...links, ...boxes].map((item) => item.id);
  }

  nodesNear(rect: Rect): Set<NodeItem> {
    this.buildNodes();
    return this.nodes.within(rect);
  }

  private buildNodes(): void {
    if (this.nodesBuilt === this.model.geometry) return;
    this.nodesBuilt = this.model.geometry;
    this.nodes = new HitGrid();
    for (const node of this.model.nodes.values()) {
      this.nodes.insertRect(inflate(nodeBox(node), 4), node);
    }
  }

  private buildLinks(): void {
    if (this.linksBuilt === this.model.geometry) return;
    this.linksBuilt = this.model.geometry;
    this.links = new HitGrid();
    for (const link of this.model.links.values()) this.links.insertCurve(link.curve, link);
  }
}

/** Where a node's port dot stands. */
export function portPoint(node: Point, side: Side): Point {
  return nodeSide(node, side, 36);
}

export function corners(box: Rect): { x: number; y: number; edge: Edge }[] {
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  return [
    { x: box.x, y: box.y, edge: "nw" },
    { x: right, y: box.y, edge: "ne" },
    { x: box.x, y: bottom, edge: "sw" },
    { x: right, y: bottom, edge: "se" },
  ];
}

function onFrame(box: BoxItem, point: Point, zoom: number): boolean {
  const reach = BORDER_REACH / zoom;
  if (!contains(inflate(box, reach), point)) return false;
  const title = { x: box.x, y: box.y, width: box.width, height: Math.min(TITLE, box.height) };
  return contains(title, point) || !contains(inflate(box, -reach), point);
}

function last<Item>(items: Iterable<Item>, test: (item: Item) => boolean): Item | null {
  let found: Item | null = null;
  for (const item of items) if (test(item)) found = item;
  return found;
}
