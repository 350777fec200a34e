/** Undo and redo of one's own operations: the inverse is sent as an ordinary operation. */

import { type Accepted, type Change, effective, invert, type Operation } from "./ops";
import type { DocEvents, DocStore, Problem, Refused } from "./store";

const DEPTH = 200;

export class UndoStack {
  private done: string[] = [];
  private undone: string[] = [];
  private truth = new Map<string, Change[]>(); // own accepted operations still on a stack
  private listeners = new Set<() => void>();
  private snapshot = { canUndo: false, canRedo: false };

  constructor(private readonly store: () => DocStore) {}

  get state(): { canUndo: boolean; canRedo: boolean } {
    return this.snapshot;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Submit an ordinary operation; it can be undone, and what was undone before is forgotten. */
  submit(operation: Operation): string | null {
    const opId = this.store().submit(operation);
    if (opId === null) return null;
    this.done.push(opId);
    if (this.done.length > DEPTH) this.done.shift();
    this.undone = [];
    this.settle();
    return opId;
  }

  undo(): boolean {
    return this.flip(this.done, this.undone);
  }

  redo(): boolean {
    return this.flip(this.undone, this.done);
  }

  /** Learn the truth about own operations, and forget refused ones. Wire these to the store. */
  events(next: DocEvents = {}): DocEvents {
    return {
      accepted: (accepted: Accepted, own: boolean) => {
        if (own) this.truth.set(accepted.op_id, accepted.changes);
        this.settle();
        next.accepted?.(accepted, own);
      },
      refused: (opId: string, error: Refused) => {
        this.done = this.done.filter((id) => id !== opId);
        this.undone = this.undone.filter((id) => id !== opId);
        this.settle();
        next.refused?.(opId, error);
      },
      problems: (problems: Problem[]) => next.problems?.(problems),
    };
  }

  /** Take back the newest of `from` that still has an effect; its inverse goes onto `to`. */
  private flip(from: string[], to: string[]): boolean {
    for (let opId = from.pop(); opId !== undefined; opId = from.pop()) {
      const changes = this.truth.get(opId) ?? this.store().pendingChanges(opId) ?? [];
      const inverse = invert(changes);
      const rest = inverse && effective(this.store().topology, inverse);
      const back = rest && this.store().submit(rest, opId);
      if (!back) continue;
      to.push(back);
      this.settle();
      return true;
    }
    this.settle();
    return false;
  }

  private settle(): void {
    const kept = new Set([...this.done, ...this.undone]);
    for (const entry of this.store().pending) if (entry.inverts) kept.add(entry.inverts);
    for (const opId of this.truth.keys()) if (!kept.has(opId)) this.truth.delete(opId);
    const next = { canUndo: this.done.length > 0, canRedo: this.undone.length > 0 };
    if (next.canUndo === this.snapshot.canUndo && next.canRedo === this.snapshot.canRedo) return;
    this.snapshot = next;
    for (const listener of [...this.listeners]) listener();
  }
}
