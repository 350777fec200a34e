/** Shared by the tests of this room: a small drawing, random operations, an in-memory server. */

import fc from "fast-check";
import {
  emptyTopology,
  makeInterface,
  makeLink,
  makeNode,
  makeNote,
  makeRoute,
  makeService,
} from "./defaults";
import type { Collection, Topology } from "./model";
import { type Accepted, applyChanges, type Operation, predict, type SimpleOperation } from "./ops";
import { type Envelope, Refused, type Transport } from "./store";

/** Host n1 —l1— switch n2; a default route by i1. */
export function drawing(): Topology {
  const topology = emptyTopology("test");
  topology.nodes.n1 = makeNode("host", "h1", 0, 0);
  topology.nodes.n2 = makeNode("switch", "sw1", 200, 0);
  topology.interfaces.i1 = { ...makeInterface("n1", "eth0"), addresses: ["10.0.0.1/24"] };
  topology.interfaces.i2 = makeInterface("n2", "p1");
  topology.links.l1 = makeLink("i1", "i2");
  topology.routes.r1 = { ...makeRoute("n1", "0.0.0.0/0"), device: "i1" };
  return topology;
}

const ids = fc.constantFrom("n1", "n2", "n3", "n4");
const ports = fc.constantFrom("i1", "i2", "i3", "i4");
const kinds = fc.constantFrom("host" as const, "router" as const, "switch" as const);

const simple: fc.Arbitrary<SimpleOperation> = fc.oneof(
  fc.tuple(ids, kinds, fc.nat(9)).map(([id, kind, x]) => ({
    kind: "add" as const,
    collection: "nodes" as const,
    id,
    value: { ...makeNode(kind, id, x, 0) },
  })),
  fc.tuple(ports, ids).map(([id, node]) => ({
    kind: "add" as const,
    collection: "interfaces" as const,
    id,
    value: { ...makeInterface(node, id) },
  })),
  fc.tuple(fc.constantFrom("l1", "l2"), ports, ports).map(([id, a, b]) => ({
    kind: "add" as const,
    collection: "links" as const,
    id,
    value: { ...makeLink(a, b) },
  })),
  fc.tuple(fc.constantFrom("s1", "s2"), ids, fc.nat(99)).map(([id, node, port]) => ({
    kind: "add" as const,
    collection: "services" as const,
    id,
    value: { ...makeService(node, "iperf3", { port }) },
  })),
  fc.tuple(fc.constantFrom("t1", "t2"), fc.string()).map(([id, text]) => ({
    kind: "add" as const,
    collection: "notes" as const,
    id,
    value: { ...makeNote(text, 0, 0) },
  })),
  fc.tuple(ids, fc.nat(99), fc.string()).map(([id, x, name]) => ({
    kind: "set" as const,
    collection: "nodes" as const,
    id,
    patch: { x, name },
  })),
  fc.string().map((name) => ({
    kind: "set" as const,
    collection: "document" as const,
    id: "",
    patch: { name },
  })),
  fc
    .tuple(
      fc.constantFrom<Collection>("nodes", "interfaces", "links", "routes", "notes", "services"),
      fc.constantFrom("n1", "n2", "n3", "i1", "i2", "i3", "l1", "l2", "r1", "t1", "s1"),
    )
    .map(([collection, id]) => ({ kind: "remove" as const, collection, id })),
);

/** Random operations, many of them pointless: the server accepts what has an effect. */
export const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: simple },
  {
    weight: 1,
    arbitrary: fc
      .array(simple, { minLength: 1, maxLength: 4 })
      .map((list) => ({ kind: "batch" as const, operations: list })),
  },
);

/** A server in memory. Answers wait until `step`, so a test chooses every interleaving. */
export class MemoryServer {
  seq = 0;
  log: Accepted[] = [];
  private waiting: (() => void)[] = [];
  private answered = new Map<string, Accepted>();
  constructor(
    public topology: Topology,
    private readonly refuses: (operation: Operation) => boolean = () => false,
  ) {}

  get waitingCount(): number {
    return this.waiting.length;
  }

  transport(user: number): Transport {
    return {
      send: (envelope) =>
        new Promise((resolve, reject) => {
          this.waiting.push(() => {
            try {
              resolve(this.accept(envelope, user));
            } catch (error) {
              reject(error);
            }
          });
        }),
      since: async (seq) => ({
        operations: this.log.filter((one) => one.seq > seq),
        document: null,
        seq: this.seq,
      }),
    };
  }

  /** Answer the oldest waiting request. */
  step(): void {
    this.waiting.shift()?.();
  }

  accept(envelope: Envelope, user: number): Accepted {
    const known = this.answered.get(envelope.op_id);
    if (known) return known;
    const { changes } = predict(this.topology, envelope.operation);
    if (changes.length === 0 || this.refuses(envelope.operation)) {
      throw new Refused({ message: "refused" }, [
        { code: "test", path: "", message: "refused", hint: "", severity: "error" },
      ]);
    }
    this.seq += 1;
    this.topology = applyChanges(this.topology, changes);
    const accepted = { seq: this.seq, op_id: envelope.op_id, user, changes };
    this.answered.set(envelope.op_id, accepted);
    this.log.push(accepted);
    return accepted;
  }
}

/** Let promise callbacks run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
