/** Kernel time as people read it, and what the kernel's clock shows now. */

/** s → "12:41.084"; with `micros` "12:41.084 118" (both since the first packet). */
export function formatElapsed(seconds: number, micros = false): string {
  const total = Math.max(0, Math.round(seconds * 1e6));
  const minutes = Math.floor(total / 60e6);
  const rest = String(total - minutes * 60e6).padStart(8, "0");
  const short = `${minutes}:${rest.slice(0, 2)}.${rest.slice(2, 5)}`;
  return micros ? `${short} ${rest.slice(5)}` : short;
}

/** The kernel's clock, guessed from the packets: the one that took the shortest way tells best. */
export class KernelClock {
  /** Kernel time of the first packet, s. */
  first: number | null = null;
  private ahead = Number.NEGATIVE_INFINITY;

  constructor(private readonly local: () => number = () => performance.now() / 1000) {}

  note(time: number): void {
    this.first ??= time;
    this.ahead = Math.max(this.ahead, time - this.local());
  }

  /** s; null before the first packet. */
  now(): number | null {
    return this.first === null ? null : this.local() + this.ahead;
  }

  reset(): void {
    this.first = null;
    this.ahead = Number.NEGATIVE_INFINITY;
  }
}
