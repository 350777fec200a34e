/**
 * The optimistic document: what the server confirmed, plus own operations it has not answered yet.
 * A remote operation rewinds the pending ones, is applied, and they are predicted anew.
 */

import { normalizeDocument } from "./defaults";
import { newOpId } from "./ids";
import type { Topology } from "./model";
import { type Accepted, applyChanges, type Change, invert, type Operation, predict } from "./ops";
import type { Said } from "./said";

export interface Problem extends Said {
  code: string;
  path: string;
  hint: string;
  severity: "error" | "warning";
}

export interface Envelope {
  op_id: string;
  base_seq: number;
  operation: Operation;
}

/** How operations reach the server. `send` rejects with `Refused`, or anything else when offline. */
export interface Transport {
  send(envelope: Envelope): Promise<Accepted & { problems?: Problem[] }>;
  since(
    seq: number,
  ): Promise<{ seq: number; operations: Accepted[] | null; document: Topology | null }>;
}

/** The server said no: nothing was stored. */
export class Refused extends Error {
  constructor(
    readonly said: Said,
    readonly problems: Problem[],
  ) {
    super(said.message);
  }
}

export interface Pending {
  opId: string;
  operation: Operation;
  changes: Change[];
  inverts: string | null; // the operation that this one takes back (undo, redo)
  answered: number | null; // the sequence number it got, while operations before it are missing
}

export type SaveState = "saved" | "saving" | "offline";

export interface DocEvents {
  refused?(opId: string, error: Refused): void;
  accepted?(accepted: Accepted, own: boolean): void;
  problems?(problems: Problem[]): void;
}

export class DocStore {
  private confirmed: Topology;
  private shown: Topology;
  private queue: Pending[] = [];
  private early = new Map<number, Accepted>(); // arrived before the ones they follow
  private listeners = new Set<() => void>();
  private sending = false;
  private catching = false;
  private offline = false;

  constructor(
    document: Topology,
    private sequence: number,
    private readonly transport: Transport,
    readonly events: DocEvents = {},
  ) {
    this.confirmed = normalizeDocument(document);
    this.shown = this.confirmed;
  }

  /** What the user sees: confirmed and pending together. A new object after each change. */
  get topology(): Topology {
    return this.shown;
  }

  get seq(): number {
    return this.sequence;
  }

  get pending(): readonly Pending[] {
    return this.queue;
  }

  get saveState(): SaveState {
    if (this.offline && this.queue.length > 0) return "offline";
    return this.queue.length > 0 ? "saving" : "saved";
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Show an operation at once and send it. Returns its id; null when it would change nothing. */
  submit(operation: Operation, inverts: string | null = null): string | null {
    const { topology, changes } = predict(this.shown, operation);
    if (changes.length === 0) return null;
    const opId = newOpId();
    this.queue.push({ opId, operation, changes, inverts, answered: null });
    this.shown = topology;
    void this.pump(); // first on its way, then shown: the server works while we draw
    this.emit();
    return opId;
  }

  /** The changes of an own pending operation, as predicted. */
  pendingChanges(opId: string): Change[] | null {
    return this.queue.find((entry) => entry.opId === opId)?.changes ?? null;
  }

  /** Take in operations that the server accepted, own or foreign, in any order, repeated or not. */
  receive(operations: readonly Accepted[]): void {
    for (const accepted of operations) {
      if (accepted.seq > this.sequence) this.early.set(accepted.seq, accepted);
    }
    let [heard, foreseen] = [false, true];
    for (;;) {
      const next = this.early.get(this.sequence + 1);
      if (!next) break;
      this.early.delete(next.seq);
      foreseen = this.foresaw(next) && foreseen;
      this.confirm(next);
      heard = true;
    }
    if (heard && foreseen) this.settle();
    else if (heard) this.rebase();
    if (this.early.size > 0) void this.catchUp();
  }

  /** Begin anew from a snapshot; pending operations are kept and predicted on top of it. */
  reset(document: Topology, seq: number): void {
    this.confirmed = normalizeDocument(document);
    this.sequence = seq;
    for (const known of [...this.early.keys()]) if (known <= seq) this.early.delete(known);
    this.queue = this.queue.filter((entry) => entry.answered === null || entry.answered > seq);
    this.rebase();
  }

  /** After a reconnect: fetch what was missed, then send what waited. */
  async resume(): Promise<void> {
    await this.catchUp();
    await this.pump();
  }

  /** True when the server did just what was predicted: what is shown stays as it is. */
  private foresaw(accepted: Accepted): boolean {
    const first = this.queue[0];
    return (
      first?.opId === accepted.op_id &&
      JSON.stringify(first.changes) === JSON.stringify(accepted.changes)
    );
  }

  private settle(): void {
    if (this.queue.length === 0) this.confirmed = this.shown;
    this.emit();
  }

  private confirm(accepted: Accepted): void {
    this.confirmed = applyChanges(this.confirmed, accepted.changes);
    this.sequence = accepted.seq;
    const own = this.queue.findIndex((entry) => entry.opId === accepted.op_id);
    if (own >= 0) this.queue.splice(own, 1);
    for (const entry of this.queue) {
      // The truth may hold more than was predicted (addresses, cascades): undo all of it.
      if (entry.inverts === accepted.op_id)
        entry.operation = invert(accepted.changes) ?? entry.operation;
    }
    this.events.accepted?.(accepted, own >= 0);
  }

  private rebase(): void {
    let topology = this.confirmed;
    for (const entry of this.queue) {
      const predicted = predict(topology, entry.operation);
      topology = predicted.topology;
      entry.changes = predicted.changes;
    }
    this.shown = topology;
    this.emit();
  }

  /** Send one operation after the other: their order is the user's. */
  private async pump(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      const next = () => this.queue.find((entry) => entry.answered === null);
      for (let entry = next(); entry; entry = next()) {
        if (!(await this.sendOne(entry))) return;
      }
    } finally {
      this.sending = false;
    }
  }

  private async sendOne(entry: Pending): Promise<boolean> {
    const { opId, operation } = entry;
    try {
      const answer = await this.transport.send({
        op_id: opId,
        base_seq: this.sequence,
        operation,
      });
      this.setOffline(false);
      entry.answered = answer.seq;
      this.receive([answer]);
      // A repeated send is answered with an old number, which `receive` has passed already.
      if (answer.seq <= this.sequence) this.drop(opId);
      if (answer.problems) this.events.problems?.(answer.problems);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) {
        this.setOffline(true);
        return false;
      }
      this.setOffline(false);
      this.drop(opId);
      this.events.refused?.(opId, error);
      return true;
    }
  }

  private drop(opId: string): void {
    const at = this.queue.findIndex((entry) => entry.opId === opId);
    if (at < 0) return;
    this.queue.splice(at, 1);
    this.rebase();
  }

  private setOffline(offline: boolean): void {
    if (this.offline === offline) return;
    this.offline = offline;
    this.emit();
  }

  private async catchUp(): Promise<void> {
    if (this.catching) return;
    this.catching = true;
    try {
      // A long absence comes in pages: go on until a page brings nothing new.
      for (let before = -1; before !== this.sequence; ) {
        before = this.sequence;
        const { seq, operations, document } = await this.transport.since(before);
        if (document) this.reset(document, seq);
        else this.receive(operations ?? []);
      }
    } catch {
      this.setOffline(true);
    } finally {
      this.catching = false;
    }
  }

  private emit(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
