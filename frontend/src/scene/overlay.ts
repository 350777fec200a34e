import type { PlaceKind } from "./contract";
import type { Point, Rect } from "./geometry";
import type { Guide } from "./snap";
import type { PairKind } from "./tools/connectTool";

/** What tools show above the picture. World px. */
export class Overlay {
  marquee: Rect | null = null;
  rubber: { from: string; to: Point; target: string | null; what: PairKind } | null = null;
  ghost: { what: PlaceKind; x: number; y: number; link: string | null } | null = null;
  guides: Guide[] = [];
  ports: string | null = null; // node whose port dots are shown
  hovered: string | null = null;

  clear(): void {
    this.marquee = null;
    this.rubber = null;
    this.ghost = null;
    this.guides = [];
    this.ports = null;
  }
}
