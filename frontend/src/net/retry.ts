/** When a lost socket tries again: back-off with jitter, so that many browsers do not come at once. */

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 15_000;

/** Close codes after which trying again cannot help (docs/protocol.md). */
export const FINAL: ReadonlySet<number> = new Set([4400, 4401, 4403, 4404]);

export class Retry {
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempts = 0;

  constructor(private readonly again: () => void) {}

  /** Try again after a wait that grows with each attempt. */
  later(): void {
    this.cancel();
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.attempts);
    this.attempts += 1;
    this.timer = setTimeout(
      () => {
        this.timer = null;
        this.again();
      },
      wait * (0.75 + Math.random() / 2),
    );
  }

  /** Try now, when an attempt is waiting. */
  hurry(): void {
    if (this.timer === null) return;
    this.cancel();
    this.again();
  }

  /** It is connected: the next wait is a short one. */
  reset(): void {
    this.attempts = 0;
  }

  cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
