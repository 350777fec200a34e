/** The filters that were used last, newest first; kept in this browser. */

const KEY = "topoweb.filters";
const KEPT = 10;

export function recentFilters(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string").slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function remember(expression: string): void {
  const text = expression.trim();
  if (text === "") return;
  const others = recentFilters().filter((one) => one !== text);
  localStorage.setItem(KEY, JSON.stringify([text, ...others].slice(0, KEPT)));
}
