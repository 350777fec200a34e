import type { SceneContent, SceneGroup, SceneLink, SceneNode, SceneNote } from "./contract";
import { around, type Curve, inflate, type Rect, union } from "./geometry";

export const NODE_SIZE = 54; // world px
const FAN = 30; // px between parallel cables
const LABEL_ROOM = { below: 64, side: 30, above: 34 };

/** A node as it stands on the canvas now; x, y may be ahead of the content while it is dragged. */
export interface NodeItem {
  id: string;
  data: SceneNode;
  x: number;
  y: number;
  links: LinkItem[];
}

export interface LinkItem {
  id: string;
  data: SceneLink;
  a: NodeItem;
  b: NodeItem;
  fan: number; // px off the straight line, to the left of the order (smaller id → greater id)
  curve: Curve;
}

export interface BoxItem {
  id: string;
  data: SceneNote | SceneGroup;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A place that the user drags something to, before the content says so. */
export interface Move {
  id: string;
  x: number;
  y: number;
  width?: number;
  height?: number;
}

/** What is on the canvas, indexed for drawing. `geometry` rises when anything moves, `look` with any change. */
export class SceneModel {
  readonly nodes = new Map<string, NodeItem>();
  readonly links = new Map<string, LinkItem>();
  readonly groups = new Map<string, BoxItem>();
  readonly notes = new Map<string, BoxItem>();
  geometry = 0;
  private preview = new Map<string, Move>();
  private strayed = false; // something stands elsewhere than the content says

  /** Shows this and nothing else; true when anything that is drawn has changed. */
  setContent(content: SceneContent): boolean {
    if (!this.strayed && this.holds(content)) return false;
    this.strayed = this.preview.size > 0;
    this.nodes.clear();
    this.links.clear();
    this.groups.clear();
    this.notes.clear();
    for (const data of content.nodes) {
      this.nodes.set(data.id, { id: data.id, data, x: data.x, y: data.y, links: [] });
    }
    for (const data of content.groups) this.groups.set(data.id, boxItem(data));
    for (const data of content.notes) this.notes.set(data.id, boxItem(data));
    for (const data of content.links) this.addLink(data);
    this.fanParallel();
    this.geometry += 1;
    if (this.preview.size) this.place([...this.preview.values()]);
    return true;
  }

  /** Puts new looks in; true when anything that is drawn has changed. */
  updateNodes(nodes: readonly SceneNode[]): boolean {
    let changed = false;
    for (const data of nodes) {
      const item = this.nodes.get(data.id);
      if (!item) continue;
      changed ||= !sameLook(item.data, data);
      const moved = item.data.x !== data.x || item.data.y !== data.y;
      item.data = data;
      if (moved && !this.preview.has(data.id)) this.place([data]);
    }
    return changed;
  }

  /** As `updateNodes`; the labels of links count only when they are shown. */
  updateLinks(links: readonly SceneLink[], labelsShown: boolean): boolean {
    let changed = false;
    for (const data of links) {
      const item = this.links.get(data.id);
      if (!item) continue;
      changed ||= !sameCable(item.data, data, labelsShown);
      if (item.data.portA !== data.portA || item.data.portB !== data.portB) this.geometry += 1;
      item.data = data;
    }
    return changed;
  }

  /** Shows things at other places until `settle` or new content without them. */
  setPreview(moves: readonly Move[]): void {
    for (const move of moves) this.preview.set(move.id, move);
    this.strayed = true;
    this.place(moves);
  }

  /** The content has caught up (or the drag was cancelled): what it says counts again. */
  settle(): void {
    const ids = [...this.preview.keys()];
    this.preview = new Map();
    this.strayed = false;
    this.place(ids.map((id) => this.drawn(id)).filter((move) => move !== null));
  }

  /** Lets new content win over the preview, without moving anything before it comes. */
  releasePreview(): void {
    this.preview = new Map();
  }

  box(id: string): BoxItem | undefined {
    return this.notes.get(id) ?? this.groups.get(id);
  }

  has(id: string): boolean {
    return this.nodes.has(id) || this.links.has(id) || this.box(id) !== undefined;
  }

  /** The rectangle that an item takes, labels included; null when unknown. */
  boundsOf(id: string): Rect | null {
    const node = this.nodes.get(id);
    if (node) return nodeBounds(node);
    const link = this.links.get(id);
    if (link) return union([nodeBounds(link.a), nodeBounds(link.b)]);
    return this.box(id) ?? null;
  }

  /** The rectangle around everything, or around the ids given; null when there is nothing. */
  bounds(ids?: Iterable<string>): Rect | null {
    const wanted = ids ?? [...this.nodes.keys(), ...this.groups.keys(), ...this.notes.keys()];
    return union([...wanted].map((id) => this.boundsOf(id)).filter((rect) => rect !== null));
  }

  /** Unchanged objects come as the same values, in the same order. */
  private holds({ nodes, links, groups, notes }: SceneContent): boolean {
    return (
      sameItems(this.nodes, nodes) &&
      sameItems(this.links, links) &&
      sameItems(this.groups, groups) &&
      sameItems(this.notes, notes)
    );
  }

  private addLink(data: SceneLink): void {
    const a = this.nodes.get(data.a);
    const b = this.nodes.get(data.b);
    if (!a || !b) return;
    const item: LinkItem = { id: data.id, data, a, b, fan: 0, curve: straight(a, b) };
    this.links.set(data.id, item);
    a.links.push(item);
    if (b !== a) b.links.push(item);
  }

  private fanParallel(): void {
    const bundles = new Map<string, LinkItem[]>();
    for (const link of this.links.values()) {
      const key = link.a.id < link.b.id ? `${link.a.id} ${link.b.id}` : `${link.b.id} ${link.a.id}`;
      const bundle = bundles.get(key);
      if (bundle) bundle.push(link);
      else bundles.set(key, [link]);
    }
    for (const bundle of bundles.values()) {
      bundle.forEach((link, index) => {
        const loop = link.a === link.b;
        link.fan = loop ? index : (index - (bundle.length - 1) / 2) * FAN;
        link.curve = curveOf(link);
      });
    }
  }

  private place(moves: readonly Move[]): void {
    for (const move of moves) {
      const item = this.nodes.get(move.id) ?? this.box(move.id);
      if (item) Object.assign(item, { x: move.x, y: move.y }, sizeOf(move));
    }
    for (const move of moves) {
      for (const link of this.nodes.get(move.id)?.links ?? []) link.curve = curveOf(link);
    }
    this.geometry += 1;
  }

  private drawn(id: string): Move | null {
    const node = this.nodes.get(id);
    if (node) return { id, x: node.data.x, y: node.data.y };
    const box = this.box(id)?.data;
    return box ? { id, x: box.x, y: box.y, width: box.width, height: box.height } : null;
  }
}

export function nodeBox(node: NodeItem): Rect {
  return around(node, NODE_SIZE, NODE_SIZE);
}

function nodeBounds(node: NodeItem): Rect {
  const { below, side, above } = LABEL_ROOM;
  return inflate(
    { x: node.x - side, y: node.y - above, width: 2 * side, height: above + below },
    4,
  );
}

function sameItems<T>(items: ReadonlyMap<string, { data: T }>, wanted: readonly T[]): boolean {
  if (items.size !== wanted.length) return false;
  let at = 0;
  for (const { data } of items.values()) {
    if (data !== wanted[at]) return false;
    at += 1;
  }
  return true;
}

function boxItem(data: SceneNote | SceneGroup): BoxItem {
  return { id: data.id, data, x: data.x, y: data.y, width: data.width, height: data.height };
}

function sizeOf(move: Move): { width?: number; height?: number } {
  return move.width === undefined || move.height === undefined
    ? {}
    : { width: move.width, height: move.height };
}

function straight(a: NodeItem, b: NodeItem): Curve {
  return {
    ax: a.x,
    ay: a.y,
    cx: (a.x + b.x) / 2,
    cy: (a.y + b.y) / 2,
    bx: b.x,
    by: b.y,
    straight: true,
  };
}

function curveOf({ a, b, fan }: LinkItem): Curve {
  if (a === b) {
    const height = 150 + 40 * fan;
    return {
      ax: a.x - 20,
      ay: a.y,
      cx: a.x,
      cy: a.y - height,
      bx: a.x + 20,
      by: a.y,
      straight: false,
    };
  }
  const curve = straight(a, b);
  if (fan === 0) return curve;
  // The normal is taken from the smaller id to the greater, so that both directions of a bundle fan alike.
  const sign = a.id < b.id ? 1 : -1;
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  curve.cx -= (sign * (b.y - a.y) * fan * 2) / length;
  curve.cy += (sign * (b.x - a.x) * fan * 2) / length;
  curve.straight = false;
  return curve;
}

function sameLook(one: SceneNode, other: SceneNode): boolean {
  return (
    one.kind === other.kind &&
    one.name === other.name &&
    one.label === other.label &&
    one.x === other.x &&
    one.y === other.y &&
    one.state === other.state &&
    one.drift === other.drift &&
    one.problem === other.problem &&
    sameBadges(one.badges, other.badges)
  );
}

function sameBadges(some: SceneNode["badges"], others: SceneNode["badges"]): boolean {
  return (
    some.length === others.length &&
    some.every(({ letter, state }, at) => {
      const other = others[at];
      return other?.letter === letter && other.state === state;
    })
  );
}

function sameCable(one: SceneLink, other: SceneLink, labels: boolean): boolean {
  return (
    one.state === other.state &&
    one.blockedEnd === other.blockedEnd &&
    one.alarm === other.alarm &&
    cableWidth(one.rate) === cableWidth(other.rate) &&
    (!labels ||
      (one.rateLabel === other.rateLabel && one.portA === other.portA && one.portB === other.portB))
  );
}

/** Width of a cable, px: 2 to 6 by the logarithm of the rate (1 kbit/s … 10 Gbit/s), in halves. */
export function cableWidth(rate: number): number {
  if (rate <= 1_000) return 2;
  const share = Math.min(1, Math.log10(rate / 1_000) / 7);
  return 2 + Math.round(share * 8) / 2;
}
