/** Draws on the canvas: where packets ended, and the ways of the packet whose story is open. */

import { follow } from "../actions/story";
import type { PacketEnd, VerdictKind } from "../api/traces";
import type { Editor } from "../app/editor";
import { sentence } from "../doc/sentence";
import type { Painter } from "../scene/contract";
import type { MotionView } from "../scene/drawMotion";
import { around, contains, type Point, type Rect } from "../scene/geometry";
import { headlineOf } from "./headline";
import { freeBox, type HopCard, hopCards, placeCards } from "./hopCards";
import { isFault, type Station } from "./journey";
import { Lookups } from "./lookups";
import { type StoryModel, storyOf } from "./model";
import { type EndSign, paintEnd, paintStation, paintWay } from "./paint";
import { LOOKUP, type LookupText, paintCard, paintLookup } from "./paintCards";
import { type EndPlace, endPlace, stationPlaces, wayPoints } from "./places";
import { foretold, seen } from "./ways";

const LASTS = 9_000; // ms on the scene's clock
const FADES = 800; // ms
const REACH = 13; // px
const MOST = 30; // marks at a time
const MOST_CARDS = 24; // hops; of a longer way only the one that is looked at has a card
/** A node on the canvas with its name and address, world px. */
const NODE = { width: 66, above: 33, below: 68 };

const SIGNS: Record<VerdictKind, EndSign> = {
  fault: "cross",
  unknown: "question",
  expected: "stop",
  noise: "stop",
  delivered: "stop",
};

interface Mark {
  end: PacketEnd;
  from: number; // ms on the scene's clock
}

export class StoryPainter implements Painter {
  private marks = new Map<string, Mark>();
  private places: { at: Point; act: () => void }[] = [];
  private boxes: { box: Rect; act: () => void }[] = [];
  private cards: { of: readonly Station[]; language: string; list: HopCard[] } | null = null;
  private wake: ReturnType<typeof setTimeout> | undefined;
  private readonly model: StoryModel;
  private readonly lookups: Lookups;

  constructor(private readonly editor: Editor) {
    this.model = storyOf(editor);
    this.lookups = new Lookups(this.model);
  }

  /** Packets have ended: mark the places, each when the picture of the packet has come there. */
  mark(ends: readonly PacketEnd[]): void {
    const { scene, playout } = this.editor;
    if (!scene) return;
    for (const end of ends) {
      const from = Math.max(scene.now(), playout?.arrival(end.packet, end.node) ?? 0);
      const key = `${end.node} ${end.interface} ${end.verdict.code}`;
      this.marks.delete(key);
      this.marks.set(key, { end, from });
    }
    for (const key of [...this.marks.keys()].slice(0, -MOST)) this.marks.delete(key);
    scene.repaint();
  }

  /** No packet has ended: another moment is looked at. */
  forget(): void {
    this.marks.clear();
    this.editor.scene?.repaint();
  }

  draw(view: MotionView): boolean {
    this.places = [];
    this.boxes = [];
    const open = this.editor.ui.getState().story !== null;
    if (open) {
      this.drawStory(view);
      return false;
    }
    return this.drawMarks(view);
  }

  press({ x, y }: Point): boolean {
    const hit =
      this.places.findLast(({ at }) => Math.hypot(at.x - x, at.y - y) <= REACH) ??
      this.boxes.find(({ box }) => contains(box, { x, y }));
    hit?.act();
    return hit !== undefined;
  }

  private drawMarks(view: MotionView): boolean {
    const { ui, session } = this.editor;
    const row = session.packets.store.byNumber(ui.getState().pickedPacket ?? -1);
    let moving = false;
    let next = Number.POSITIVE_INFINITY;
    for (const [key, { end, from }] of this.marks) {
      const age = view.now - from;
      const picked = row?.packet === end.packet;
      if (age < 0) {
        next = Math.min(next, -age);
        continue;
      }
      if (age > LASTS && !picked) {
        this.marks.delete(key);
        continue;
      }
      const left = picked ? FADES : LASTS - age;
      if (left < FADES) moving = true;
      else next = Math.min(next, left - FADES);
      this.drawEnd(view, end, Math.min(1, left / FADES), () => follow(this.editor, end.packet));
    }
    this.wakeIn(next);
    return moving;
  }

  private drawEnd(view: MotionView, end: PacketEnd, alpha: number, act: () => void): void {
    const at = endPlace(view, end.node, end.link, end.direction);
    if (!at) return;
    const text = sentence(end.verdict.text, this.language, this.editor.topology.nodes);
    paintEnd(view, at, SIGNS[end.verdict.kind], text, alpha);
    this.places.push({ at, act });
  }

  private drawStory(view: MotionView): void {
    const { steps, stations, at, shown } = this.model.state.getState();
    const both = this.editor.session.packets.store.tier === "bpf";
    if (shown !== "seen" && this.model.ofRun) {
      for (const piece of foretold(steps)) {
        paintWay(view, wayPoints(view, piece, "dry"), "dry", piece.arrow);
      }
    }
    if (shown !== "seen" && this.model.mended) {
      const { steps: mended } = this.model.mended;
      const before = new Set(foretold(steps).map(({ link, forward }) => `${link} ${forward}`));
      for (const piece of foretold(mended)) {
        if (before.has(`${piece.link} ${piece.forward}`)) continue;
        paintWay(view, wayPoints(view, piece, "dry"), "mended", true);
      }
    }
    if (shown === "dry") return;
    for (const piece of seen(stations, both)) {
      paintWay(view, wayPoints(view, piece, "seen"), "seen", piece.arrow);
    }
    const places = stationPlaces(view, stations);
    this.drawCards(view, places);
    places.forEach((place, index) => {
      if (!place) return;
      const station = stations[index];
      if (!station) return;
      const bad = isFault(station, this.model.verdict);
      paintStation(view, place, station.number, { current: index === at, bad });
      this.places.push({ at: place, act: () => this.model.go(index) });
    });
    this.drawTraveller(view, places);
    this.drawVerdict(view);
  }

  /** What each hop found, beside it, as far as there is room. */
  private drawCards(view: MotionView, places: readonly (Point | null)[]): void {
    const { at } = this.model.state.getState();
    const all = this.cardsOf();
    const shown = all.length > MOST_CARDS ? all.slice(at, at + 1) : all;
    const { t } = this.editor;
    const name = (label: string) => t(`story.card.${label}`, { ns: "story", defaultValue: label });
    const end = this.endOf(view);
    const mark = end ? [around({ x: end.x, y: end.y + (end.above ? -16 : 16) }, 190, 62)] : [];
    const kept = [...obstacles(view, this.model.mended !== null), ...mark];
    const placed = placeCards(shown, places, at, kept, view.camera);
    for (const one of placed) {
      const { station } = one.card;
      paintCard(view, one, station === at, name);
      this.boxes.push({ box: one.box, act: () => this.model.go(station) });
    }
    const stations = places.flatMap((place) => (place ? [around(place, 20, 20)] : []));
    this.drawLookups(view, [...kept, ...stations, ...placed.map(({ box }) => box)]);
  }

  /** What the nodes on the way asked their routes, where there is room under them or over them. */
  private drawLookups(view: MotionView, taken: Rect[]): void {
    const { t } = this.editor;
    for (const { node, asked, answering, route, others } of this.lookups.list) {
      const item = view.model.nodes.get(node);
      if (!item) continue;
      const told: LookupText = {
        title: t(answering ? "story.looksBack" : "story.looksUp", {
          ns: "story",
          name: item.data.name,
          address: asked,
        }),
        rows: [
          route === null
            ? { text: asked, note: `✕ ${t("story.missing", { ns: "story" })}`, tone: "missing" }
            : { text: route, note: `✓ ${t("story.used", { ns: "story" })}`, tone: "used" },
          ...others.map((text) => ({ text, note: "", tone: "other" as const })),
        ],
      };
      const { zoom } = view.camera;
      const at = view.camera.toScreen(item);
      const height = LOOKUP.head + told.rows.length * LOOKUP.line + LOOKUP.foot;
      const below = NODE.below * zoom + height / 2 + 14;
      const above = -(NODE.above * zoom + height / 2 + 14);
      const boxes = [below, below + 50, above, above - 50].flatMap((y) =>
        [0, -60, 60].map((x) => around({ x: at.x + x, y: at.y + y }, LOOKUP.width, height)),
      );
      const box = freeBox(boxes, taken, view.camera);
      if (!box) continue;
      taken.push(box);
      paintLookup(view, box, { x: at.x, y: at.y + NODE.below * zoom }, told);
    }
  }

  private cardsOf(): readonly HopCard[] {
    const { stations } = this.model.state.getState();
    const { language } = this;
    if (this.cards?.of !== stations || this.cards.language !== language) {
      const unchanged = this.editor.t("story.card.unchanged", { ns: "story" });
      this.cards = { of: stations, language, list: hopCards(stations, unchanged) };
    }
    return this.cards.list;
  }

  /** Where the packet is by the journey's clock, between two stations. */
  private drawTraveller(view: MotionView, places: readonly (Point | null)[]): void {
    const { stations, clock, at, playing } = this.model.state.getState();
    const [from, to] = [places[at], places[at + 1]];
    const [past, next] = [stations[at], stations[at + 1]];
    if (!playing || !from || !to || !past || !next || next.at <= past.at) return;
    const share = Math.min(1, (clock - past.at) / (next.at - past.at));
    const { pen } = view.surface;
    pen.beginPath();
    pen.arc(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share, 6, 0, 7);
    pen.fillStyle = view.theme.accent;
    pen.fill();
    pen.strokeStyle = view.theme.canvas;
    pen.lineWidth = 2;
    pen.stroke();
  }

  private drawVerdict(view: MotionView): void {
    const { verdict } = this.model;
    const at = this.endOf(view);
    if (!verdict || !at) return;
    const { exchange } = this.model.state.getState();
    const text = this.editor.t(`story.ends.${headlineOf(verdict, exchange)}`, { ns: "story" });
    paintEnd(view, at, SIGNS[verdict.kind], text, 1);
  }

  /** Where the story's packet ended; null: it did not, or nobody knows. */
  private endOf(view: MotionView): EndPlace | null {
    const { verdict } = this.model;
    const { stations } = this.model.state.getState();
    if (!verdict || verdict.kind === "delivered" || verdict.kind === "noise") return null;
    const last = stations.findLast(({ hop }) => this.touches(hop.link, verdict.node));
    return endPlace(view, verdict.node, last?.hop.link ?? "", last?.hop.along ?? "ab");
  }

  private touches(link: string, node: string): boolean {
    const ends = this.editor.session.packets.endsOf(link);
    return ends !== undefined && (ends.a === node || ends.b === node);
  }

  private get language(): string {
    return document.documentElement.lang;
  }

  /** Draw again in so many ms of the scene's clock; while it stands, that changes nothing. */
  private wakeIn(ms: number): void {
    clearTimeout(this.wake);
    if (Number.isFinite(ms)) {
      this.wake = setTimeout(() => this.editor.scene?.repaint(), Math.max(30, ms));
    }
  }
}

/** What cards must not hide: nodes with their words, and what floats over the canvas. */
function obstacles({ camera, model }: MotionView, mended: boolean): Rect[] {
  const { width, height, zoom } = camera;
  const floats: Rect[] = [
    { x: 0, y: 0, width: mended ? 640 : 440, height: 50 },
    { x: 0, y: height - 60, width: 180, height: 60 },
    { x: width - 160, y: height - 120, width: 160, height: 120 },
  ];
  const nodes = [...model.nodes.values()].map((node) => {
    const { x, y } = camera.toScreen(node);
    const box = around({ x, y }, NODE.width * zoom, 0);
    return { ...box, y: y - NODE.above * zoom, height: (NODE.above + NODE.below) * zoom };
  });
  return [...floats, ...nodes];
}

const PAINTERS = new WeakMap<Editor, StoryPainter>();

/** The painter of an editor's canvas. */
export function painterOf(editor: Editor): StoryPainter {
  let painter = PAINTERS.get(editor);
  if (!painter) {
    painter = new StoryPainter(editor);
    PAINTERS.set(editor, painter);
  }
  return painter;
}
