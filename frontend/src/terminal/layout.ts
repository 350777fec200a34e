/** How the panes of one tab divide its room: a tree of rows and columns, pure values. */

export type Axis = "row" | "column";
export type Heading = "left" | "right" | "up" | "down";

export interface Split {
  id: string;
  axis: Axis; // row: side by side
  parts: Tree[]; // two or more
}

/** A pane's id, or several parts side by side or one below the other. */
export type Tree = string | Split;

/** Panes in reading order. */
export function panesOf(tree: Tree): string[] {
  return typeof tree === "string" ? [tree] : tree.parts.flatMap(panesOf);
}

/** Put `added` to the right of `pane` (row) or below it (column). `id` names a new split. */
export function split(tree: Tree, pane: string, axis: Axis, added: string, id: string): Tree {
  if (tree === pane) return { id, axis, parts: [pane, added] };
  if (typeof tree === "string") return tree;
  const at = tree.parts.indexOf(pane);
  if (at >= 0 && tree.axis === axis) {
    return { ...tree, parts: tree.parts.toSpliced(at + 1, 0, added) };
  }
  return { ...tree, parts: tree.parts.map((part) => split(part, pane, axis, added, id)) };
}

/** Without a pane; null when it was the only one. A split of one part dissolves. */
export function without(tree: Tree, pane: string): Tree | null {
  if (typeof tree === "string") return tree === pane ? null : tree;
  const parts = tree.parts
    .map((part) => without(part, pane))
    .filter((part): part is Tree => part !== null);
  const [only] = parts;
  if (only === undefined) return null;
  return parts.length === 1 ? only : { ...tree, parts };
}

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Where each pane lies in the unit square, as if all parts were equal. */
function boxes(tree: Tree, box: Box, found: Map<string, Box>): Map<string, Box> {
  if (typeof tree === "string") return found.set(tree, box);
  tree.parts.forEach((part, at) => {
    const share = (from: number, to: number, step: number) =>
      from + ((to - from) * step) / tree.parts.length;
    const inner =
      tree.axis === "row"
        ? {
            ...box,
            left: share(box.left, box.right, at),
            right: share(box.left, box.right, at + 1),
          }
        : {
            ...box,
            top: share(box.top, box.bottom, at),
            bottom: share(box.top, box.bottom, at + 1),
          };
    boxes(part, inner, found);
  });
  return found;
}

const GAP: Record<Heading, (from: Box, to: Box) => number> = {
  left: (from, to) => from.left - to.right,
  right: (from, to) => to.left - from.right,
  up: (from, to) => from.top - to.bottom,
  down: (from, to) => to.top - from.bottom,
};

function overlap(from: Box, to: Box, heading: Heading): number {
  return heading === "left" || heading === "right"
    ? Math.min(from.bottom, to.bottom) - Math.max(from.top, to.top)
    : Math.min(from.right, to.right) - Math.max(from.left, to.left);
}

/** The nearest pane that way, the one that shares most of the edge; null at the rim. */
export function beside(tree: Tree, pane: string, heading: Heading): string | null {
  const all = boxes(tree, { left: 0, top: 0, right: 1, bottom: 1 }, new Map());
  const from = all.get(pane);
  if (!from) return null;
  const tiny = 1e-9;
  const candidates = [...all]
    .map(([id, to]) => ({
      id,
      gap: GAP[heading](from, to),
      shared: overlap(from, to, heading),
    }))
    .filter(({ id, gap, shared }) => id !== pane && gap > -tiny && shared > tiny)
    .sort((a, b) => a.gap - b.gap || b.shared - a.shared);
  return candidates[0]?.id ?? null;
}
