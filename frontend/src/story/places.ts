/** Where on the screen ways, stations and ends are drawn. */

import type { Camera } from "../scene/camera";
import { type Curve, curveDirection, curveLength, curvePoint, type Point } from "../scene/geometry";
import type { SceneModel } from "../scene/model";
import { endMargin } from "../scene/traffic";
import type { Station } from "./journey";
import type { Piece } from "./ways";

interface View {
  camera: Camera;
  model: SceneModel;
}

/** World px beside the cable, to the left of who goes along: there and back never overlap. */
const ASIDE = { dry: 27, seen: 19 } as const;
const INWARD = 16; // px from the node's box to a station
const CROWD = 21; // px between two stations at one end of a cable
const CORNER = 30; // px from a node's middle to an end that is on no cable
const SAMPLES = 14;

/** A line along a cable, in the direction of travel; empty for a cable that is not drawn. */
export function wayPoints(view: View, piece: Piece, kind: keyof typeof ASIDE): Point[] {
  const curve = view.model.links.get(piece.link)?.curve;
  if (!curve) return [];
  const margin = endMargin(curveLength(curve));
  return Array.from({ length: SAMPLES + 1 }, (_, step) => {
    const along = margin + (step / SAMPLES) * (1 - 2 * margin) * piece.share;
    return beside(
      view.camera,
      curve,
      piece.forward ? along : 1 - along,
      piece.forward,
      ASIDE[kind],
    );
  });
}

/** Where each station is drawn; null for one on a node or cable that is not drawn. */
export function stationPlaces(view: View, stations: readonly Station[]): (Point | null)[] {
  const taken = new Map<string, number>();
  return stations.map(({ hop }) => {
    const node = view.model.nodes.get(hop.node);
    const link = view.model.links.get(hop.link);
    if (!link) {
      if (!node) return null;
      const count = turn(taken, hop.node);
      const at = { x: node.x - CORNER + count * CROWD, y: node.y - CORNER };
      return view.camera.toScreen(at);
    }
    const forward = hop.along === "ab";
    const atA = link.a.id === hop.node && (link.b.id !== hop.node || forward);
    const count = turn(taken, `${hop.link} ${hop.along} ${atA}`);
    const length = curveLength(link.curve);
    const from = endMargin(length) + (INWARD + count * CROWD) / Math.max(1, length);
    const t = Math.min(0.5, from);
    return beside(view.camera, link.curve, atA ? t : 1 - t, forward, ASIDE.seen);
  });
}

/** A place for a mark and its word, which stands above or below it. */
export interface EndPlace extends Point {
  above: boolean;
}

/**
 * Where a packet's end is marked: at the cable's end by that node, across from the way it came; or
 * at the node.
 */
export function endPlace(
  view: View,
  node: string,
  link: string,
  along: "ab" | "ba",
): EndPlace | null {
  const item = view.model.nodes.get(node);
  const cable = view.model.links.get(link);
  if (!item) return null;
  if (!cable || (cable.a.id !== node && cable.b.id !== node)) {
    const at = view.camera.toScreen({ x: item.x + CORNER, y: item.y - CORNER });
    return { ...at, above: true };
  }
  const length = curveLength(cable.curve);
  const margin = Math.min(0.5, endMargin(length) + INWARD / Math.max(1, length));
  const t = cable.a.id === node ? margin : 1 - margin;
  const forward = along === "ab";
  const at = beside(view.camera, cable.curve, t, forward, -ASIDE.seen);
  const middle = view.camera.toScreen(curvePoint(cable.curve, t));
  return { ...at, above: at.y < middle.y - 1 };
}

function beside(camera: Camera, curve: Curve, t: number, forward: boolean, aside: number): Point {
  const { x, y } = curvePoint(curve, t);
  const direction = curveDirection(curve, t);
  const sign = forward ? 1 : -1;
  return camera.toScreen({
    x: x + sign * direction.y * aside,
    y: y - sign * direction.x * aside,
  });
}

function turn(taken: Map<string, number>, key: string): number {
  const count = taken.get(key) ?? 0;
  taken.set(key, count + 1);
  return count;
}
