/** Toasts and what a screen reader is told. */

import { createStore } from "zustand/vanilla";

export interface Toast {
  id: number;
  tone: "info" | "ok" | "bad";
  title: string;
  details: string[];
}

const LASTS = 8_000; // ms; errors stay until they are closed
const SHOWN = 4;

export const toasts = createStore<{ list: Toast[] }>(() => ({ list: [] }));

let next = 1;

export function dismissToast(id: number): void {
  toasts.setState(({ list }) => ({ list: list.filter((toast) => toast.id !== id) }));
}

export function showToast(tone: Toast["tone"], title: string, details: string[] = []): void {
  const { list } = toasts.getState();
  if (list.some((toast) => toast.title === title && toast.details.join() === details.join()))
    return;
  const toast = { id: next, tone, title, details };
  next += 1;
  toasts.setState({ list: [...list, toast].slice(-SHOWN) });
  if (tone !== "bad") setTimeout(() => dismissToast(toast.id), LASTS);
}

const PERIOD = 1_000; // ms: a polite live region that speaks faster is not understood

export const spoken = createStore<{ text: string }>(() => ({ text: "" }));

let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;

function speak(): void {
  timer = null;
  if (waiting.length === 0) return;
  spoken.setState({ text: waiting.join(". ") });
  waiting = [];
  timer = setTimeout(speak, PERIOD);
}

/** Say something politely; at most once a second, what comes in between is said together. */
export function announce(text: string): void {
  if (!waiting.includes(text)) waiting.push(text);
  if (waiting.length > 5) waiting = waiting.slice(-5);
  if (timer === null) speak();
}
