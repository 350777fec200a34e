/** Draws on the canvas: where packets ended, and the ways of the packet whose story is open. */

import { follow } from "../actions/story";
import type { PacketEnd, VerdictKind } from "../api/traces";
import type { Editor } from "../app/editor";
import { sentence } from "../doc/sentence";
import type { Painter } from "../scene/contract";
import type { MotionView } from "../scene/drawMotion";
import type { Point } from "../scene/geometry";
import { headlineOf } from "./headline";
import { isFault } from "./journey";
import { type StoryModel, storyOf } from "./model";
import { type EndSign, paintEnd, paintStation, paintWay } from "./paint";
import { endPlace, stationPlaces, wayPoints } from "./places";
import { foretold, seen } from "./ways";

const LASTS = 9_000; // ms on the scene's clock
const FADES = 800; // ms
const REACH = 13; // px
const MOST = 30; // marks at a time

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
  private wake: ReturnType<typeof setTimeout> | undefined;
  private readonly model: StoryModel;

  constructor(private readonly editor: Editor) {
    this.model = storyOf(editor);
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

  draw(view: MotionView): boolean {
    this.places = [];
    const open = this.editor.ui.getState().story !== null;
    if (open) {
      this.drawStory(view);
      return false;
    }
    return this.drawMarks(view);
  }

  press({ x, y }: Point): boolean {
    const hit = this.places.findLast(({ at }) => Math.hypot(at.x - x, at.y - y) <= REACH);
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
    if (shown === "dry") return;
    for (const piece of seen(stations, both)) {
      paintWay(view, wayPoints(view, piece, "seen"), "seen", piece.arrow);
    }
    const places = stationPlaces(view, stations);
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
    const { stations, exchange } = this.model.state.getState();
    if (!verdict || verdict.kind === "delivered" || verdict.kind === "noise") return;
    const last = stations.findLast(({ hop }) => this.touches(hop.link, verdict.node));
    const at = endPlace(view, verdict.node, last?.hop.link ?? "", last?.hop.along ?? "ab");
    if (!at) return;
    const text = this.editor.t(`story.ends.${headlineOf(verdict, exchange)}`, { ns: "story" });
    paintEnd(view, at, SIGNS[verdict.kind], text, 1);
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
