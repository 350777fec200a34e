import type { Point } from "../geometry";
import type { Pointer } from "./tool";

/** One kind of drag within the select tool. */
export interface Gesture {
  move(pointer: Pointer): void;
  end(pointer: Pointer): void;
  cancel(): void;
}

export interface Press {
  screen: Point;
  world: Point;
}
