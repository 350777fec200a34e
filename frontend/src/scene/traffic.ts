import type { PacketPassage } from "./contract";
import { curveLength, curvePoint, type Point } from "./geometry";
import type { SceneModel } from "./model";

export const GLOW = 450; // ms that a crowded cable glows
export const CROSS = 3_000; // ms that a lost packet's cross stays
const REMEMBERED = 5_000; // packets whose paths are kept
const NODE_SHARE = 34; // px at each end that the node's box hides

export interface Glow {
  until: number;
  protocol: string;
}

/** Packets on their way, on the scene's clock. */
export class Traffic {
  passages: PacketPassage[] = [];
  readonly glows = new Map<string, Glow>();
  highlighted: number | null = null;
  played = 0;
  private readonly paths = new Map<number, string[]>();

  constructor(private readonly model: SceneModel) {}

  /** With reduced motion nothing travels: the cable glows while the packet would pass. */
  add(passages: readonly PacketPassage[], reduced: boolean): void {
    for (const passage of passages) {
      this.remember(passage.packet, passage.link);
      if (!this.model.links.has(passage.link)) continue;
      this.played += 1;
      if (reduced && !passage.lost) this.glow(passage.link, passage.end, passage.protocol);
      else this.passages.push(passage);
    }
  }

  glow(link: string, until: number, protocol = ""): void {
    const known = this.glows.get(link);
    if (!known || known.until < until) this.glows.set(link, { until, protocol });
  }

  clear(): void {
    this.passages = [];
    this.glows.clear();
  }

  /** Lets go of what is over; true while anything is still to be drawn. */
  expire(now: number): boolean {
    if (this.passages.some((passage) => over(passage, now))) {
      this.passages = this.passages.filter((passage) => !over(passage, now));
    }
    for (const [link, glow] of this.glows) if (glow.until <= now) this.glows.delete(link);
    return this.passages.length > 0 || this.glows.size > 0;
  }

  /** Where a packet is on its cable, as a share of the drawn curve; null when it is not on it. */
  progress(passage: PacketPassage, now: number): number | null {
    if (now < passage.start) return null;
    const link = this.model.links.get(passage.link);
    if (!link) return null;
    if (now >= passage.end && !passage.lost) return null;
    const share = Math.min(1, (now - passage.start) / Math.max(1, passage.end - passage.start));
    const margin = endMargin(curveLength(link.curve));
    const last = passage.lost ? passage.lost.at : 1;
    const along = margin + share * last * (1 - 2 * margin);
    return passage.forward ? along : 1 - along;
  }

  /** The packet drawn nearest to a world point. */
  at(point: Point, reach: number, now: number): PacketPassage | null {
    let best: PacketPassage | null = null;
    let least = reach;
    for (const passage of this.passages) {
      const t = this.progress(passage, now);
      const link = this.model.links.get(passage.link);
      if (t === null || !link) continue;
      const place = curvePoint(link.curve, t);
      const distance = Math.hypot(place.x - point.x, place.y - point.y);
      if (distance <= least) [best, least] = [passage, distance];
    }
    return best;
  }

  pathOf(packet: number): string[] {
    return this.paths.get(packet) ?? [];
  }

  /** That a packet was on a cable, drawn or not. */
  remember(packet: number, link: string): void {
    const path = this.paths.get(packet);
    if (path) {
      if (!path.includes(link)) path.push(link);
      return;
    }
    this.paths.set(packet, [link]);
    if (this.paths.size <= REMEMBERED) return;
    const oldest = this.paths.keys().next();
    if (!oldest.done) this.paths.delete(oldest.value);
  }
}

function over(passage: PacketPassage, now: number): boolean {
  return now >= passage.end + (passage.lost ? CROSS : 0);
}

/** The share of a cable's length at each end that the node's box hides. */
export function endMargin(length: number): number {
  return Math.min(0.3, NODE_SHARE / Math.max(1, length));
}
