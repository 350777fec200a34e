/** Cards on the canvas: what each hop found in the packet's headers, in a few short lines. */

import { around, inflate, overlaps, type Point, type Rect } from "../scene/geometry";
import { type HeaderRow, headerRows } from "./headers";
import { formatSpan, type Station } from "./journey";

export interface CardLine {
  label: string; // i18n key of the story's texts, or a protocol's own word
  text: string;
  changed: boolean;
}

export interface HopCard {
  station: number; // index
  number: number;
  interface: string;
  span: string; // since the journey began
  lines: readonly CardLine[];
}

export interface PlacedCard {
  card: HopCard;
  box: Rect;
  from: Point; // the station that it is about
}

export const CARD = { width: 164, head: 30, line: 19, foot: 7 } as const;
const MOST_LINES = 3;
const CALM = 2; // lines of a hop that changed nothing

/** What a card may tell, in order of what one looks for first; the last one with a value wins. */
const TOLD: readonly { label: string; field: RegExp; tail?: boolean }[] = [
  { label: "ttl", field: /^(IPv4(#\d+)? ttl|IPv6(#\d+)? hop_limit)$/ },
  { label: "mac", field: /^Ethernet(#\d+)? destination$/, tail: true },
  { label: "from", field: /^(IPv4|IPv6)(#\d+)? source$/ },
  { label: "to", field: /^(IPv4|IPv6)(#\d+)? destination$/ },
  { label: "fromPort", field: /^(TCP|UDP)(#\d+)? source_port$/ },
  { label: "toPort", field: /^(TCP|UDP)(#\d+)? destination_port$/ },
  { label: "vlan", field: /^VLAN(#\d+)? id$/ },
  { label: "sender", field: /^ARP sender_ip$/ },
  { label: "asked", field: /^ARP target_ip$/ },
];

/** One card a station: first what had changed there, else what stayed. */
export function hopCards(stations: readonly Station[], unchanged: string): HopCard[] {
  const rows = headerRows(stations, true);
  return stations.map((station, index) => ({
    station: index,
    number: station.number,
    interface: station.hop.interface,
    span: formatSpan(station.at),
    lines: linesOf(rows, index, station.before, unchanged),
  }));
}

function linesOf(
  rows: readonly HeaderRow[],
  index: number,
  before: number,
  unchanged: string,
): CardLine[] {
  const lines = TOLD.flatMap(({ label, field, tail }) => {
    const row = rows.findLast(({ key, values }) => field.test(key) && values[index] != null);
    const value = row?.values[index];
    if (!row || value == null) return [];
    const short = tail ? `→ ${shortMac(value)}` : value;
    if (row.changed[index]) {
      const was = row.values[before] ?? "";
      const both = tail || was.length + value.length > 12 ? short : `${was} → ${value}`;
      return [{ label, text: both, changed: true }];
    }
    return [{ label, text: tail && before >= 0 ? unchanged : short, changed: false }];
  });
  const added = layersAdded(rows, index, before);
  const changed = [...added, ...lines.filter((line) => line.changed)];
  if (changed.length >= CALM) return changed.slice(0, MOST_LINES);
  return [...changed, ...lines.filter((line) => !line.changed)].slice(0, CALM);
}

/** Tunnels and tags: layers that were put around the packet here, or taken off it. */
function layersAdded(rows: readonly HeaderRow[], index: number, before: number): CardLine[] {
  if (before < 0) return [];
  return rows.flatMap(({ protocol, label, values, key }) => {
    if (label !== "" || !/^(VLAN|VXLAN|GRE|IPv4#2|IPv6#2) $/.test(key)) return [];
    const [was, now] = [values[before] ?? null, values[index] ?? null];
    if ((was === null) === (now === null)) return [];
    return [{ label: protocol, text: now === null ? "−" : "+", changed: true }];
  });
}

/** "2a:92:b7:67:0f:13" → "…67:0f:13". */
function shortMac(mac: string): string {
  return mac.length === 17 ? `…${mac.slice(9)}` : mac;
}

/** Where a card may stand, seen from its station: near before far, above before below. */
const OFFSETS: readonly Point[] = [-1, 1].flatMap((side) =>
  [70, 118].flatMap((far) => [0, -60, 60, -120, 120].map((aside) => ({ x: aside, y: side * far }))),
);
const BESIDE: readonly Point[] = [
  { x: 118, y: 0 },
  { x: -118, y: 0 },
  { x: 118, y: -44 },
  { x: -118, y: -44 },
  { x: 118, y: 44 },
  { x: -118, y: 44 },
];
const GAP = 6; // px between cards, and to what they must not hide

/**
 * Finds room for cards: none hides a node, a station or another card. The one that is looked at
 * comes first and is always shown; of the others those that find room.
 */
export function placeCards(
  cards: readonly HopCard[],
  places: readonly (Point | null)[],
  current: number,
  obstacles: readonly Rect[],
  view: { width: number; height: number },
): PlacedCard[] {
  const points = places.flatMap((place) => (place ? [around(place, 20, 20)] : []));
  const taken = [...obstacles, ...points];
  const placed: PlacedCard[] = [];
  const order = [...cards].sort((a, b) => rank(a, current) - rank(b, current));
  for (const card of order) {
    const from = places[card.station];
    if (!from) continue;
    const box = roomFor(card, from, taken, view, card.station === current);
    if (!box) continue;
    taken.push(box);
    placed.push({ card, box, from });
  }
  return placed;
}

/** The one looked at, then those where something changed, then by number. */
function rank(card: HopCard, current: number): number {
  if (card.station === current) return -2e6;
  return (card.lines.some(({ changed }) => changed) ? -1e6 : 0) + card.number;
}

/** The first of these places that is in view and hides nothing; null: there is none. */
export function freeBox(
  boxes: readonly Rect[],
  taken: readonly Rect[],
  view: { width: number; height: number },
): Rect | null {
  const hides = (box: Rect) => taken.some((one) => overlaps(inflate(one, GAP), box));
  return boxes.find((box) => inside(box, view) && !hides(box)) ?? null;
}

function roomFor(
  card: HopCard,
  from: Point,
  taken: readonly Rect[],
  view: { width: number; height: number },
  always: boolean,
): Rect | null {
  const height = CARD.head + card.lines.length * CARD.line + CARD.foot;
  const boxes = [...OFFSETS, ...BESIDE].map(({ x, y }) => {
    const lift = y === 0 ? 0 : Math.sign(y) * (height / 2 - 30);
    return around({ x: from.x + x, y: from.y + y + lift }, CARD.width, height);
  });
  const free = freeBox(boxes, taken, view);
  if (free || !always) return free;
  return boxes.find((box) => inside(box, view)) ?? null;
}

function inside({ x, y, width, height }: Rect, view: { width: number; height: number }): boolean {
  return x >= GAP && y >= GAP && x + width <= view.width - GAP && y + height <= view.height - GAP;
}
