import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { makeNode } from "./defaults";
import { add, remove, set } from "./ops";
import { DocStore, Refused } from "./store";
import { drawing, MemoryServer, operations, settle } from "./testing";
import { UndoStack } from "./undo";

interface Client {
  store: DocStore;
  undo: UndoStack;
}

function client(server: MemoryServer, user: number, refused = vi.fn()): Client {
  const made: { store?: DocStore } = {};
  const undo = new UndoStack(() => made.store as DocStore);
  made.store = new DocStore(drawing(), 0, server.transport(user), undo.events({ refused }));
  return { store: made.store, undo };
}

async function drain(server: MemoryServer, clients: Client[]): Promise<void> {
  await settle();
  while (server.waitingCount > 0) {
    server.step();
    await settle();
  }
  for (const { store } of clients) store.receive(server.log);
}

describe("DocStore", () => {
  it("shows an operation at once and keeps it when it is confirmed", async () => {
    const server = new MemoryServer(drawing());
    const one = client(server, 1);
    one.store.submit(add("nodes", "n9", makeNode("host", "h9", 1, 2)));
    expect(one.store.topology.nodes.n9?.name).toBe("h9");
    expect(one.store.saveState).toBe("saving");
    await drain(server, [one]);
    expect(one.store.saveState).toBe("saved");
    expect(one.store.topology).toEqual(server.topology);
  });

  it("leaves no trace of a refused operation and says why", async () => {
    const server = new MemoryServer(drawing(), (operation) => operation.kind === "add");
    const refused = vi.fn();
    const one = client(server, 1, refused);
    one.undo.submit(add("nodes", "n9", makeNode("host", "h9", 1, 2)));
    one.undo.submit(set("nodes", "n1", { x: 7 }));
    await drain(server, [one]);
    expect(one.store.topology.nodes.n9).toBeUndefined();
    expect(one.store.topology.nodes.n1?.x).toBe(7);
    expect(refused).toHaveBeenCalledOnce();
    expect(refused.mock.calls[0]?.[1]).toBeInstanceOf(Refused);
    expect(one.undo.undo()).toBe(true);
    expect(one.undo.undo()).toBe(false);
  });

  it("keeps changes while offline and sends them on resume", async () => {
    const server = new MemoryServer(drawing());
    const good = server.transport(1);
    let online = false;
    const store = new DocStore(drawing(), 0, {
      send: (envelope) => (online ? good.send(envelope) : Promise.reject(new Error("offline"))),
      since: (seq) => (online ? good.since(seq) : Promise.reject(new Error("offline"))),
    });
    store.submit(set("nodes", "n1", { x: 5 }));
    await settle();
    expect(store.saveState).toBe("offline");
    expect(store.topology.nodes.n1?.x).toBe(5);
    online = true;
    const resumed = store.resume();
    await settle();
    server.step();
    await resumed;
    expect(store.saveState).toBe("saved");
    expect(server.topology.nodes.n1?.x).toBe(5);
  });

  it("takes a lost answer's operation once only", async () => {
    const server = new MemoryServer(drawing());
    let lose = true;
    const store = new DocStore(drawing(), 0, {
      send: async (envelope) => {
        const accepted = server.accept(envelope, 1);
        if (lose) throw new Error("connection reset");
        return accepted;
      },
      since: server.transport(1).since,
    });
    store.submit(add("nodes", "n9", makeNode("host", "h9", 1, 2)));
    await settle();
    expect(store.saveState).toBe("offline");
    lose = false;
    await store.resume();
    expect(server.log).toHaveLength(1);
    expect(store.pending).toHaveLength(0);
    expect(store.topology).toEqual(server.topology);
  });

  it("applies operations in their order however they arrive", () => {
    const server = new MemoryServer(drawing());
    for (const x of [1, 2, 3]) {
      server.accept({ op_id: `o${x}`, base_seq: 0, operation: set("nodes", "n1", { x }) }, 2);
    }
    const store = new DocStore(drawing(), 0, {
      ...server.transport(1),
      since: () => new Promise(() => {}),
    });
    const [a, b, c] = server.log;
    store.receive([c, b].flatMap((one) => one ?? []));
    expect(store.topology.nodes.n1?.x).toBe(0);
    store.receive([a, a].flatMap((one) => one ?? []));
    expect(store.seq).toBe(3);
    expect(store.topology.nodes.n1?.x).toBe(3);
  });

  it("converges for any interleaving of two writers", async () => {
    const action = fc.oneof(
      fc.record({ who: fc.constantFrom(0, 1), operation: operations }),
      fc.record({ who: fc.constantFrom(0, 1), undo: fc.boolean() }),
      fc.constant("step" as const),
      fc.record({ hear: fc.constantFrom(0, 1) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const server = new MemoryServer(drawing());
        const clients = [client(server, 1), client(server, 2)];
        for (const act of actions) {
          if (act === "step") server.step();
          else if ("hear" in act) clients[act.hear]?.store.receive(server.log);
          else if ("operation" in act) clients[act.who]?.undo.submit(act.operation);
          else if (act.undo) clients[act.who]?.undo.undo();
          else clients[act.who]?.undo.redo();
          await settle();
        }
        await drain(server, clients);
        for (const { store } of clients) {
          expect(store.pending).toHaveLength(0);
          expect(store.topology).toEqual(server.topology);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("UndoStack", () => {
  it("redo after undo is the identity, and undo takes everything back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operations, { maxLength: 15 }), async (list) => {
        const server = new MemoryServer(drawing());
        const one = client(server, 1);
        for (const operation of list) one.undo.submit(operation);
        await drain(server, [one]);
        const drawn = one.store.topology;
        let steps = 0;
        while (one.undo.undo()) steps += 1;
        await drain(server, [one]);
        expect(one.store.topology).toEqual(drawing());
        for (let step = 0; step < steps; step += 1) expect(one.undo.redo()).toBe(true);
        await drain(server, [one]);
        expect(one.store.topology).toEqual(drawn);
      }),
      { numRuns: 60 },
    );
  });

  it("undoes only one's own, also what the server added to it", async () => {
    const server = new MemoryServer(drawing());
    const [one, two] = [client(server, 1), client(server, 2)];
    one.undo.submit(set("nodes", "n1", { x: 40 }));
    await drain(server, [one, two]);
    two.undo.submit(set("nodes", "n2", { x: 90 }));
    await drain(server, [one, two]);
    one.undo.undo();
    await drain(server, [one, two]);
    expect(server.topology.nodes.n1?.x).toBe(0);
    expect(server.topology.nodes.n2?.x).toBe(90);
    expect(one.undo.undo()).toBe(false);
  });

  it("skips what has no effect any more", async () => {
    const server = new MemoryServer(drawing());
    const [one, two] = [client(server, 1), client(server, 2)];
    one.undo.submit(set("nodes", "n2", { x: 1 }));
    one.undo.submit(set("nodes", "n1", { x: 1 }));
    await drain(server, [one, two]);
    two.undo.submit(remove("nodes", "n1"));
    await drain(server, [one, two]);
    expect(one.undo.undo()).toBe(true);
    expect(one.store.topology.nodes.n2?.x).toBe(200);
  });
});
