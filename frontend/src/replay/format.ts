/** Sizes and dates as people read them. */

const UNITS = ["kB", "MB", "GB"] as const;

/** Bytes: "1.4 MB". */
export function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

/** Epoch seconds as a date and time of day in the reader's language and zone. */
export function formatDate(seconds: number, language: string): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return format.format(seconds * 1_000);
}
