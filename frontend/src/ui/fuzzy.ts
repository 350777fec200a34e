/** Fuzzy search: the letters of the query in order; starts of words and runs count more. */

/** A score, higher is better; null when `text` does not hold the letters in order. */
export function score(query: string, text: string): number | null {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  const given = text.toLowerCase();
  let total = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = given.indexOf(letter, at + 1);
    if (next < 0) return null;
    if (next === at + 1) total += 3;
    if (next === 0 || /[\s\-_./:]/.test(given[next - 1] ?? "")) total += 4;
    total -= Math.min(3, next - at - 1);
    at = next;
  }
  return total - given.length / 100;
}

/** The items that match, best first; all in their order for an empty query. */
export function rank<T>(query: string, items: readonly T[], text: (item: T) => string): T[] {
  if (query.trim() === "") return [...items];
  return items
    .map((item) => ({ item, points: score(query, text(item)) }))
    .filter((one): one is { item: T; points: number } => one.points !== null)
    .sort((a, b) => b.points - a.points)
    .map((one) => one.item);
}
