/**
 * Keeps frames short where there is no GPU: the cost of a canvas follows its pixels, so on slow
 * machines the motion layer goes down to one pixel a CSS px, and so does the static layer while
 * a gesture lasts (measured: 2 → 1 halves the cost; at rest the picture stays sharp).
 *
 * Rastering happens after the script, so the time between frames counts as well as the script's.
 */
const WINDOW = 40; // frames
const SLOW = { work: 8, interval: 25 }; // ms, medians
const FAST = { work: 4, interval: 18 };
const CALM = 120; // fast frames before the resolution comes back

export class Governor {
  private readonly work: number[] = [];
  private readonly intervals: number[] = [];
  private last: number | null = null; // when the frame before began, in an animation
  private calm = 0;
  private needed = CALM;
  private reduced = false;

  /** Notes a frame that began at `at` and took `work`, ms. */
  frame(at: number, work: number): void {
    push(this.work, work);
    if (this.last !== null) push(this.intervals, at - this.last);
    this.last = at;
    if (this.intervals.length < WINDOW / 2) return;
    const [typical, interval] = [median(this.work), median(this.intervals)];
    if (typical > SLOW.work || interval > SLOW.interval) this.reduce();
    else if (this.reduced && typical < FAST.work && interval < FAST.interval) this.recover();
  }

  /** Nothing moves any more: the time until the next frame says nothing. */
  rest(): void {
    this.last = null;
  }

  /** Median work a frame, ms. */
  typical(): number {
    return median(this.work);
  }

  motionRatio(device: number): number {
    return this.reduced ? Math.min(1, device) : device;
  }

  staticRatio(device: number, gesture: boolean): number {
    return this.reduced && gesture ? Math.min(1, device) : device;
  }

  private reduce(): void {
    this.reduced = true;
    this.calm = 0;
  }

  /** Each attempt waits twice as long as the last, so that a slow machine does not swing to and fro. */
  private recover(): void {
    this.calm += 1;
    if (this.calm < this.needed) return;
    this.reduced = false;
    this.calm = 0;
    this.needed *= 2;
  }
}

function push(list: number[], value: number): void {
  list.push(value);
  if (list.length > WINDOW) list.shift();
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
