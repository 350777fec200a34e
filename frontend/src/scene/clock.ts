/** The clock that packets are drawn by, ms; it stands still while paused. */
export class SceneClock {
  private lost = 0;
  private stoppedAt: number | null = null;

  constructor(private readonly time: () => number = () => performance.now()) {}

  now(): number {
    return (this.stoppedAt ?? this.time()) - this.lost;
  }

  get paused(): boolean {
    return this.stoppedAt !== null;
  }

  setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    if (this.stoppedAt === null) {
      this.stoppedAt = this.time();
    } else {
      this.lost += this.time() - this.stoppedAt;
      this.stoppedAt = null;
    }
  }
}
