/** Text measured once, and wrapped. */

type Measure = (font: string, text: string) => number;

let context: OffscreenCanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();
const LIMIT = 20_000;

/** Width in px. Without a canvas (tests), an estimate of 0.56 em a letter, 1 em a CJK one. */
export function textWidth(font: string, text: string): number {
  const key = `${font}|${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  if (widths.size > LIMIT) widths.clear();
  const width = measure(font, text);
  widths.set(key, width);
  return width;
}

/** Forgets all widths, as fonts that load late change them. */
export function forgetWidths(): void {
  widths.clear();
}

function measure(font: string, text: string): number {
  context ??=
    typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(1, 1).getContext("2d");
  if (!context) return estimate(font, text);
  context.font = font;
  return context.measureText(text).width;
}

function estimate(font: string, text: string): number {
  const size = Number(/([\d.]+)px/.exec(font)?.[1] ?? 12);
  let ems = 0;
  for (const char of text) ems += char > "\u2e7f" ? 1 : 0.56;
  return ems * size;
}

/** Cuts a line with … so that it fits. */
export function ellipsis(
  font: string,
  text: string,
  room: number,
  width: Measure = textWidth,
): string {
  if (width(font, text) <= room) return text;
  const chars = [...text];
  let [low, high] = [0, chars.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (width(font, `${chars.slice(0, middle).join("")}…`) <= room) low = middle;
    else high = middle - 1;
  }
  return `${chars.slice(0, low).join("")}…`;
}

/** Breaks text into lines at spaces, or between any two CJK letters, or within a word that is too long. */
export function wrap(
  font: string,
  text: string,
  room: number,
  width: Measure = textWidth,
): string[] {
  return text.split("\n").flatMap((paragraph) => wrapParagraph(font, paragraph, room, width));
}

function wrapParagraph(font: string, text: string, room: number, width: Measure): string[] {
  const lines: string[] = [];
  let line = "";
  for (const piece of pieces(text)) {
    if (line !== "" && width(font, (line + piece).trimEnd()) > room) {
      lines.push(line.trimEnd());
      line = piece.trimStart();
    } else {
      line += piece;
    }
    while (width(font, line.trimEnd()) > room && [...line].length > 1) {
      const head = longestHead(font, line, room, width);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  lines.push(line.trimEnd());
  return lines;
}

function pieces(text: string): string[] {
  return text.match(/[\u2e80-\uffef][,。、;:!?)”]?|[^\s\u2e80-\uffef]+\s*|\s+/gu) ?? [];
}

function longestHead(font: string, text: string, room: number, width: Measure): string {
  const chars = [...text];
  let count = 1;
  while (count < chars.length && width(font, chars.slice(0, count + 1).join("")) <= room) count++;
  return chars.slice(0, count).join("");
}
