/** The decoded layers as rows of a tree, and what the keys do in it. */

import type { DecodedField, DecodedLayer } from "../../api/types";
import { keyOf } from "./hexMap";
import type { Differences } from "./hops";

export interface FieldRow {
  key: string;
  level: number; // 1: a layer
  protocol: string;
  name: string; // of the field; empty for a layer
  label: string;
  value: string;
  start: number;
  end: number;
  expanded: boolean | null; // null: nothing below
  parent: string | null;
  position: number; // among its siblings, from 1
  siblings: number;
  was: string | null; // its value at the previous hop, when that differs
  filter: string | null; // an expression that asks for this value
  hides: boolean; // closed over a field that differs
}

/** What the reader opened or closed; the rest follows `openByDefault`. */
export type Toggled = ReadonlyMap<string, boolean>;

const FOLDED = new Set(["Ethernet", "LLC", "Data"]);

function openByDefault(key: string, level: number): boolean {
  return level === 1 && !FOLDED.has(key.replace(/#\d+$/, ""));
}

/** The rows that are in view, top to bottom. */
export function fieldRows(
  layers: readonly DecodedLayer[],
  toggled: Toggled,
  changed: Differences,
): FieldRow[] {
  const rows: FieldRow[] = [];
  const differs = [...changed.keys()];
  const add = (row: FieldRow, below: readonly DecodedField[]) => {
    rows.push(row);
    if (row.expanded !== true) return;
    const seen = new Map<string, number>();
    below.forEach((field, at) => {
      const key = keyOf(row.key, field.name, seen);
      const expanded = openness(key, row.level + 1, field.fields);
      add(
        {
          key,
          level: row.level + 1,
          protocol: row.protocol,
          name: field.name,
          label: field.label,
          value: field.value,
          start: field.start,
          end: field.end,
          expanded,
          parent: row.key,
          position: at + 1,
          siblings: below.length,
          was: changed.get(key) ?? null,
          filter: field.filter ?? null,
          hides: expanded === false && differs.some((one) => one.startsWith(`${key}/`)),
        },
        field.fields,
      );
    });
  };
  const openness = (key: string, level: number, below: readonly DecodedField[]) =>
    below.length === 0 ? null : (toggled.get(key) ?? openByDefault(key, level));
  const seen = new Map<string, number>();
  layers.forEach((layer, at) => {
    const key = keyOf("", layer.protocol, seen);
    const expanded = openness(key, 1, layer.fields);
    add(
      {
        key,
        level: 1,
        protocol: layer.protocol,
        name: "",
        label: layer.protocol,
        value: layer.summary,
        start: layer.start,
        end: layer.end,
        expanded,
        parent: null,
        position: at + 1,
        siblings: layers.length,
        was: null,
        filter: layer.filter ?? null,
        hides: expanded === false && differs.some((one) => one.startsWith(`${key}/`)),
      },
      layer.fields,
    );
  });
  return rows;
}

/** The keys of what lies above a field, outermost first. */
export function ancestors(key: string): string[] {
  const parts = key.split("/");
  return parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join("/"));
}

export interface Step {
  go?: string; // the row to stand on
  open?: boolean; // open or close the row one stands on
}

/** What a key does on the row `at`; null when it is not the tree's. */
export function stepFor(key: string, rows: readonly FieldRow[], at: number): Step | null {
  const row = rows[at];
  if (!row) return null;
  const to = (index: number): Step => {
    const target = rows[Math.max(0, Math.min(rows.length - 1, index))];
    return target ? { go: target.key } : {};
  };
  switch (key) {
    case "ArrowDown":
      return to(at + 1);
    case "ArrowUp":
      return to(at - 1);
    case "Home":
      return to(0);
    case "End":
      return to(rows.length - 1);
    case "ArrowRight":
      if (row.expanded === false) return { open: true };
      return row.expanded === true ? to(at + 1) : {};
    case "ArrowLeft":
      if (row.expanded === true) return { open: false };
      return row.parent === null ? {} : { go: row.parent };
    case "Enter":
    case " ":
      return row.expanded === null ? {} : { open: !row.expanded };
    default:
      return null;
  }
}
