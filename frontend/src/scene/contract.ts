/**
 * The seam between the canvas and everything else. The scene knows no framework, no network and
 * no document: it is handed what to draw and says what the pointer did.
 */

import type { MotionView } from "./drawMotion";
import type { Point } from "./geometry";

export type GlyphKind = "host" | "router" | "switch" | "uplink";

/** A program that a node runs: its letter, and the shape around it. */
export interface SceneBadge {
  letter: string;
  state: "drawn" | "starting" | "running" | "failed";
}

/** What a node looks like now. `state`: dot colour and letter; planned nodes are ghosts. */
export interface SceneNode {
  id: string;
  kind: GlyphKind;
  name: string;
  label: string; // second line: an address or a count
  x: number; // world px, centre
  y: number;
  state: "draft" | "planned" | "up" | "warning" | "down" | "stale";
  drift: boolean;
  problem: "error" | "warning" | null;
  badges: readonly SceneBadge[];
}

/** What a cable looks like now. Parallel cables between two nodes are fanned out. */
export interface SceneLink {
  id: string;
  a: string; // node ids
  b: string;
  portA: string;
  portB: string;
  // child: no cable, a child of the interface at the other end
  state: "draft" | "planned" | "up" | "down" | "off" | "blocked" | "stale" | "child";
  blockedEnd: "a" | "b" | null;
  rate: number; // bit/s, both directions together; 0: no label
  rateLabel: string;
  alarm: string | null; // key of a word: what is wrong on it, whatever its state
}

export interface SceneGroup {
  id: string;
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
  color: string;
}

export interface SceneNote {
  id: string;
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface SceneContent {
  nodes: SceneNode[];
  links: SceneLink[];
  groups: SceneGroup[];
  notes: SceneNote[];
}

/** One passage of one packet along one cable, in scene time (ms on the scene's clock). */
export interface PacketPassage {
  link: string;
  forward: boolean; // a → b
  start: number;
  end: number;
  protocol: string; // key of the glyph table
  packet: number; // identity across cables
  number: number; // row number in the packet list
  /** Where on the cable it was lost, 0 to 1, and why; it stops there under a red cross. */
  lost?: { at: number; label: string };
}

/** Drawn over the picture by who knows what the scene does not: ways of packets, and their ends. */
export interface Painter {
  /** Draws in screen px; true: it moves, so another frame is wanted. */
  draw(view: MotionView): boolean;
  /** Takes a press at a place in screen px; false: it is not for this painter. */
  press(at: Point): boolean;
}

/** A result that the canvas shows at a node: a probe's outcome, a verdict. */
export interface SceneCallout {
  id: string;
  node: string;
  text: string;
  tone: "ok" | "bad" | "info";
}

export type Selection = ReadonlySet<string>; // ids of nodes, links, notes, groups

export type Tool =
  | { kind: "select" }
  | { kind: "connect"; from?: string }
  | { kind: "place"; what: PlaceKind }
  | { kind: "pan" }
  | { kind: "probe"; source?: string }
  | { kind: "trace"; source?: string };

export type PlaceKind = GlyphKind | "note" | "group";

/** What the user did. Coordinates are world px. The scene never changes the content itself. */
export interface SceneEvents {
  select(ids: string[], mode: "replace" | "toggle" | "add"): void;
  move(
    moves: { id: string; x: number; y: number; width?: number; height?: number }[],
    done: boolean,
  ): void;
  connect(from: string, to: string): void;
  place(what: PlaceKind, x: number, y: number): void;
  dropOnLink(link: string, what: GlyphKind, x: number, y: number): void;
  open(id: string): void; // double click or Enter
  menu(ids: string[], clientX: number, clientY: number): void;
  probe(source: string, target: string): void;
  trace(source: string, target: string): void;
  pickPacket(number: number): void;
  toolDone(): void; // the tool has done its job or was cancelled
  camera(zoom: number): void;
  hover(id: string | null): void;
}

export interface SceneView {
  setContent(content: SceneContent): void;
  /** Calls once before the next picture is drawn, so that what it changes is in that picture. */
  beforeFrame(act: () => void): void;
  /** Cheap partial updates for the live stream; unknown ids are ignored. */
  updateNodes(nodes: SceneNode[]): void;
  updateLinks(links: SceneLink[]): void;
  setSelection(ids: Selection): void;
  setTool(tool: Tool): void;
  setTheme(theme: "light" | "dark"): void;
  /** i18n words by key: planned, down, off, blocked, stale, and those of alarms. */
  setLabels(labels: Record<string, string>): void;
  setReducedMotion(reduced: boolean): void;
  addPackets(passages: PacketPassage[]): void;
  clearPackets(): void;
  /** Cables whose packets are too many to draw glow for a moment. */
  glowLinks(links: string[]): void;
  /** Marks a packet and its way; `links`: where it was seen, for what the canvas did not draw. */
  highlightPacket(packet: number | null, links?: readonly string[]): void;
  /** Cables that a packet was shown on, in order; empty when unknown. */
  pathOf(packet: number): string[];
  setCallouts(callouts: SceneCallout[]): void;
  setPainter(painter: Painter | null): void;
  /** What the painter draws has changed. */
  repaint(): void;
  /** Palette drag: shows what would be dropped there; the cable under it, which a node would divide. */
  dragOver(what: PlaceKind, clientX: number, clientY: number): string | null;
  dragEnd(): void;
  /** Gives up a gesture or a tool's first pick under way; false when there was none. */
  cancel(): boolean;
  /** The clock packets are drawn by, in ms; pausing freezes them. */
  now(): number;
  setPaused(paused: boolean): void;
  fit(ids?: string[]): void;
  zoomBy(factor: number): void;
  panBy(dx: number, dy: number): void;
  centerOn(id: string): void;
  worldToClient(x: number, y: number): { x: number; y: number };
  clientToWorld(x: number, y: number): { x: number; y: number };
  exportSvg(): string;
  exportPng(scale: number): Promise<Blob>;
  stats(): { frameMs: number; passages: number; dpr: number; zoom: number; played: number };
  destroy(): void;
}

/** `createScene` of scene/index.ts. The host element must be positioned; the scene fills it. */
export type CreateScene = (host: HTMLElement, events: SceneEvents) => SceneView;
