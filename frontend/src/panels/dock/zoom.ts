/** The part of a time-line that is shown: nearer, farther, aside. Times in any one unit. */

export interface Window {
  from: number;
  to: number;
}

/** How far it goes: all there is, and the shortest span that still says something. */
export interface Reach extends Window {
  least: number;
}

export const NEARER = 0.5; // of the span, for one press
const PAN = 0.25; // of the span, for one press

/** The window with `at` at the same place, `factor` times as long. */
export function zoomed(window: Window, at: number, factor: number, reach: Reach): Window {
  const whole = reach.to - reach.from;
  const length = window.to - window.from;
  const next = Math.min(whole, Math.max(Math.min(reach.least, whole), length * factor));
  const share = length > 0 ? Math.min(1, Math.max(0, (at - window.from) / length)) : 0.5;
  return held({ from: at - share * next, to: at + (1 - share) * next }, reach);
}

/** The window moved by a part of its length; it stays where there is something. */
export function panned(window: Window, share: number, reach: Reach): Window {
  const by = share * (window.to - window.from);
  return held({ from: window.from + by, to: window.to + by }, reach);
}

function held({ from, to }: Window, reach: Reach): Window {
  const shift = Math.max(0, reach.from - from) - Math.max(0, to - reach.to);
  return { from: from + shift, to: to + shift };
}

/** What a key does; null: it is not the time-line's. `at`: what stays in place. */
export function windowFor(key: string, window: Window, at: number, reach: Reach): Window | null {
  switch (key) {
    case "+":
    case "=":
      return zoomed(window, at, NEARER, reach);
    case "-":
    case "_":
      return zoomed(window, at, 1 / NEARER, reach);
    case "0":
      return { from: reach.from, to: reach.to };
    case "[":
      return panned(window, -PAN, reach);
    case "]":
      return panned(window, PAN, reach);
    default:
      return null;
  }
}

/** What a turn of the wheel does: up and down zooms, sideways (or with Shift) pans. */
export function wheeled(
  { deltaX, deltaY, shiftKey }: Pick<WheelEvent, "deltaX" | "deltaY" | "shiftKey">,
  window: Window,
  at: number,
  reach: Reach,
): Window {
  const aside = shiftKey ? deltaX || deltaY : deltaX;
  if (shiftKey || Math.abs(deltaX) > Math.abs(deltaY)) return panned(window, aside / 600, reach);
  return zoomed(window, at, Math.exp(deltaY / 240), reach);
}

/** Round numbers inside a window, about `count` of them. */
export function ticksOf({ from, to }: Window, count: number): number[] {
  const step = roundUp((to - from) / count);
  if (!(step > 0)) return [];
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => (first + at) * step);
}

/** The next of 1, 2, 5, 10, 20 … */
export function roundUp(value: number): number {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10) * power;
}
