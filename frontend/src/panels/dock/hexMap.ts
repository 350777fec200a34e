/** Between decoded fields and the bytes they were read from. */

import type { DecodedField, DecodedLayer } from "../../api/types";

export const LINE = 16; // bytes a line of the hex view

/** Bytes from the start of the frame, end exclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Hex text → bytes. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

/** A byte as the text column shows it. */
export function printable(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
}

/** The key of a layer or field: stable from packet to packet, so that what is open stays open. */
export function keyOf(parent: string, name: string, seen: Map<string, number>): string {
  const plain = parent === "" ? name : `${parent}/${name}`;
  const nth = seen.get(plain) ?? 0;
  seen.set(plain, nth + 1);
  return nth === 0 ? plain : `${plain}#${nth}`;
}

/** The key of the innermost layer or field that a byte belongs to; null when none claims it. */
export function fieldAt(layers: readonly DecodedLayer[], byte: number): string | null {
  const seen = new Map<string, number>();
  let found: string | null = null;
  for (const layer of layers) {
    const key = keyOf("", layer.protocol, seen);
    if (byte >= layer.start && byte < layer.end) found = innermost(layer.fields, byte, key) ?? key;
  }
  return found;
}

function innermost(fields: readonly DecodedField[], byte: number, parent: string): string | null {
  const seen = new Map<string, number>();
  let best: { key: string; size: number } | null = null;
  for (const field of fields) {
    const key = keyOf(parent, field.name, seen);
    if (byte < field.start || byte >= field.end) continue;
    const size = field.end - field.start;
    if (best === null || size < best.size) {
      best = { key: innermost(field.fields, byte, key) ?? key, size };
    }
  }
  return best?.key ?? null;
}

/** The part of `range` that lies on a line, as columns; null when none does. */
export function onLine(range: ByteRange | null, line: number): ByteRange | null {
  if (range === null) return null;
  const start = Math.max(0, range.start - line * LINE);
  const end = Math.min(LINE, range.end - line * LINE);
  return start < end ? { start, end } : null;
}
