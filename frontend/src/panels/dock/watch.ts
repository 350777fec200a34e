/** Follows the packet store outside React: feeds the time-line's histogram and clock. */

import type { PacketRow, PacketStore } from "../../packets/index";
import { Histogram } from "./histogram";
import { KernelClock } from "./time";

export class PacketWatch {
  readonly histogram = new Histogram();
  readonly clock: KernelClock;
  private seen: PacketRow | undefined;

  constructor(
    private readonly store: PacketStore,
    clock: KernelClock = new KernelClock(),
  ) {
    this.clock = clock;
  }

  /** Begin; returns how to stop. */
  start(): () => void {
    this.take();
    return this.store.subscribe(() => this.take());
  }

  private take(): void {
    const rows = this.store.all();
    if (rows.length === 0) {
      this.seen = undefined;
      this.histogram.clear();
      this.clock.reset();
      return;
    }
    const fresh = rows.slice(this.seen === undefined ? 0 : rows.lastIndexOf(this.seen) + 1);
    this.seen = rows[rows.length - 1];
    this.histogram.add(fresh);
    for (const row of fresh) this.clock.note(row.time);
  }
}
