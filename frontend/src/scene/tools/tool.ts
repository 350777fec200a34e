import type { Camera } from "../camera";
import type { Painter, SceneEvents, Selection } from "../contract";
import type { Point } from "../geometry";
import type { HitTester } from "../hitTest";
import type { SceneModel } from "../model";
import type { Overlay } from "../overlay";
import type { Traffic } from "../traffic";

/** A pointer's state, in screen px of the host and in world px. */
export interface Pointer {
  screen: Point;
  world: Point;
  shift: boolean;
  alt: boolean;
  toggle: boolean; // shift, or the platform's multi-select key
}

/** What tools work on. They say what happened through `events` and show it through `overlay`. */
export interface Workbench {
  camera: Camera;
  model: SceneModel;
  tester: HitTester;
  overlay: Overlay;
  traffic: Traffic;
  events: SceneEvents;
  selection(): Selection;
  painter(): Painter | null;
  now(): number;
  /** Asks for the static picture, or only the motion layer, to be drawn anew. */
  redraw(layer: "all" | "motion"): void;
}

/** One way of using the pointer. `down` … `up` is one gesture; `hover` is a move without a button. */
export interface ToolHandler {
  hover(pointer: Pointer): void;
  down(pointer: Pointer): void;
  drag(pointer: Pointer): void;
  up(pointer: Pointer): void;
  /** Gives up what is under way; false when there was nothing. */
  cancel(): boolean;
  cursor(): string;
  /** On touch screens, a finger on empty ground pans instead. */
  readonly touchPans?: boolean;
}

const SLOP = 4; // screen px before a press becomes a drag

export function moved(from: Point, to: Point): boolean {
  return Math.hypot(to.x - from.x, to.y - from.y) > SLOP;
}
