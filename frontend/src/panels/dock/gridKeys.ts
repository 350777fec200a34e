/** The packet grid's keyboard and which of its rows are in the page. */

export const ROW = 23; // px
const MARGIN = 8; // rows beyond the edges

/** Where a key leads from row `at` (-1: none) of `count`; null when it is not the grid's. */
export function moveFor(key: string, at: number, count: number, page: number): number | null {
  if (count === 0) return null;
  const within = (index: number) => Math.max(0, Math.min(count - 1, index));
  switch (key) {
    case "ArrowDown":
      return within(at + 1);
    case "ArrowUp":
      return at < 0 ? count - 1 : within(at - 1);
    case "PageDown":
      return within(at + page);
    case "PageUp":
      return at < 0 ? count - 1 : within(at - page);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

/** The rows that are in the page: from `first` up to, not including, `last`. */
export function windowOf(
  top: number,
  height: number,
  count: number,
): { first: number; last: number } {
  const last = Math.min(count, Math.ceil((top + height) / ROW) + MARGIN);
  const first = Math.max(0, Math.min(Math.floor(top / ROW) - MARGIN, last - 1));
  return { first, last };
}

/** The scroll position that brings row `at` into view. */
export function scrollFor(at: number, top: number, height: number): number {
  if (at * ROW < top) return at * ROW;
  if ((at + 1) * ROW > top + height) return (at + 1) * ROW - height;
  return top;
}

/** Whether a key press asks for a menu of what has the focus. */
export function isMenuKey({ key, shiftKey }: { key: string; shiftKey: boolean }): boolean {
  return key === "ContextMenu" || (key === "F10" && shiftKey);
}
