/** Operations and changes of `docs/protocol.md`: apply, predict, invert. All values immutable. */

import { normalizeDocument, normalizeValue } from "./defaults";
import { indexOf, type TopologyIndex } from "./graph";
import type { Collection, Topology } from "./model";

export type Fields = Record<string, unknown>;
export type Target = Collection | "document";

export interface AddOperation {
  kind: "add";
  collection: Collection;
  id: string;
  value: Fields;
}
export interface SetOperation {
  kind: "set";
  collection: Target;
  id: string;
  patch: Fields;
}
export interface RemoveOperation {
  kind: "remove";
  collection: Collection;
  id: string;
}
export type SimpleOperation = AddOperation | SetOperation | RemoveOperation;
export interface BatchOperation {
  kind: "batch";
  operations: SimpleOperation[];
  auto?: false; // no automatic addresses: an undo wants back exactly what was
}
export interface ReplaceOperation {
  kind: "replace";
  document: Topology;
}
export type Operation = SimpleOperation | BatchOperation | ReplaceOperation;

export type Change =
  | { op: "add"; collection: Collection; id: string; value: Fields }
  | { op: "set"; collection: Target; id: string; patch: Fields; before: Fields }
  | { op: "remove"; collection: Collection; id: string; before: Fields }
  | { op: "replace"; document: Topology; before: Topology };

export interface Accepted {
  seq: number;
  op_id: string;
  user: number | null;
  changes: Change[];
}

/** Typed makers, so that callers do not write collections and values that do not belong together. */
export function add<C extends Collection>(
  collection: C,
  id: string,
  value: Topology[C][string],
): AddOperation {
  return { kind: "add", collection, id, value: value as unknown as Fields };
}

export function set<C extends Collection>(
  collection: C,
  id: string,
  patch: Partial<Topology[C][string]>,
): SetOperation {
  return { kind: "set", collection, id, patch: patch as Fields };
}

export function setDocument(
  patch: Partial<Pick<Topology, "name" | "description" | "auto_address" | "offloads">>,
): SetOperation {
  return { kind: "set", collection: "document", id: "", patch };
}

export function remove(collection: Collection, id: string): RemoveOperation {
  return { kind: "remove", collection, id };
}

/** One operation for many: the single one itself, or a batch. */
export function batch(operations: SimpleOperation[]): Operation {
  return operations.length === 1 && operations[0] ? operations[0] : { kind: "batch", operations };
}

/** Write access to a topology that copies each collection once, however many changes follow. */
class Draft {
  private topology: Topology;
  private copied = new Set<Target>();
  private written = new Map<Collection, Set<string>>(); // ids that `source` has otherwise, or not

  constructor(private source: Topology) {
    this.topology = source;
  }

  get value(): Topology {
    return this.topology;
  }

  replace(document: Topology): void {
    this.source = document;
    this.topology = document;
    this.copied.clear();
    this.written.clear();
  }

  read(collection: Target, id: string): Fields | undefined {
    if (collection === "document") return this.topology as unknown as Fields;
    return this.topology[collection][id] as Fields | undefined;
  }

  write(collection: Collection, id: string, value: Fields | undefined): void {
    const map = this.open(collection) as Record<string, unknown>;
    if (value === undefined) {
      delete map[id];
      return;
    }
    map[id] = value;
    const ids = this.written.get(collection) ?? new Set();
    this.written.set(collection, ids.add(id));
  }

  /** The index of what was before. A draft changes in place, so its own must not be remembered. */
  get index(): TopologyIndex {
    return indexOf(this.source);
  }

  /** Of objects that the index knows, and of those written since, the ones that fit now. */
  among(
    collection: Collection,
    known: readonly string[],
    fits: (value: Fields) => boolean,
  ): string[] {
    return [...new Set([...known, ...(this.written.get(collection) ?? [])])].filter((id) => {
      const value = this.read(collection, id);
      return value !== undefined && fits(value);
    });
  }

  setDocument(patch: Fields): void {
    this.own();
    Object.assign(this.topology, patch);
  }

  private own(): void {
    if (!this.copied.has("document")) {
      this.topology = { ...this.topology };
      this.copied.add("document");
    }
  }

  private open(collection: Collection): object {
    this.own();
    if (!this.copied.has(collection)) {
      Object.assign(this.topology, { [collection]: { ...this.topology[collection] } });
      this.copied.add(collection);
    }
    return this.topology[collection];
  }
}

function applyChange(draft: Draft, change: Change): void {
  switch (change.op) {
    case "replace":
      draft.replace(normalizeDocument(change.document));
      return;
    case "add":
      draft.write(change.collection, change.id, normalizeValue(change.collection, change.value));
      return;
    case "remove":
      draft.write(change.collection, change.id, undefined);
      return;
    case "set": {
      if (change.collection === "document") {
        draft.setDocument(change.patch);
        return;
      }
      const old = draft.read(change.collection, change.id);
      if (old) draft.write(change.collection, change.id, { ...old, ...change.patch });
    }
  }
}

/** Apply the server's changes (the truth), cascades included. */
export function applyChanges(topology: Topology, changes: readonly Change[]): Topology {
  const draft = new Draft(topology);
  for (const change of changes) applyChange(draft, change);
  return draft.value;
}

/** What removing an object takes with it, dependants first; the object itself is last. */
function cascade(draft: Draft, collection: Collection, id: string): RemoveOperation[] {
  const { index } = draft;
  const ofNode = (map: Map<string, string[]>) =>
    collection === "nodes" ? (map.get(id) ?? []) : [];
  const isNode = (value: Fields) => collection === "nodes" && value.node === id;
  const own =
    collection === "interfaces"
      ? [id]
      : draft.among("interfaces", ofNode(index.interfacesOf), isNode);
  const interfaces = withChildren(draft, own);
  const ports = new Set<unknown>(interfaces);
  const at = (map: Map<string, string[]>) => interfaces.flatMap((port) => map.get(port) ?? []);
  const links = draft.among(
    "links",
    at(index.linksAt),
    (link) => ports.has(link.a) || ports.has(link.b),
  );
  const routes = draft.among(
    "routes",
    [...at(index.routesBy), ...ofNode(index.routesOf)],
    (route) => ports.has(route.device) || isNode(route),
  );
  const services = draft.among("services", ofNode(index.servicesOf), isNode);
  const removals = [
    ...links.map((link) => remove("links", link)),
    ...routes.map((route) => remove("routes", route)),
    ...services.map((service) => remove("services", service)),
  ];
  const gone = interfaces.filter((port) => port !== id);
  removals.push(...gone.map((port) => remove("interfaces", port)), remove(collection, id));
  return removals;
}

/** Interfaces with all that hang on them, children before their parents. */
function withChildren(draft: Draft, ports: string[]): string[] {
  const known = new Set<unknown>(ports);
  const indexed = ports.flatMap((port) => draft.index.childrenOf.get(port) ?? []);
  const children = draft
    .among("interfaces", indexed, ({ parent }) => known.has(parent))
    .filter((id) => !known.has(id));
  return children.length === 0 ? ports : withChildren(draft, [...children, ...ports]);
}

const REFERENCES: Partial<Record<Collection, readonly (readonly [string, Collection])[]>> = {
  interfaces: [
    ["node", "nodes"],
    ["parent", "interfaces"],
  ],
  links: [
    ["a", "interfaces"],
    ["b", "interfaces"],
  ],
  routes: [
    ["node", "nodes"],
    ["device", "interfaces"],
  ],
  services: [["node", "nodes"]],
};

/** True when a new object names another that is not there: the server refuses that. */
function dangles(topology: Topology, operation: AddOperation): boolean {
  return (REFERENCES[operation.collection] ?? []).some(([property, collection]) => {
    const id = operation.value[property];
    return typeof id === "string" && !Object.hasOwn(topology[collection], id);
  });
}

function predictSimple(draft: Draft, operation: SimpleOperation): Change[] {
  const { collection, id } = operation;
  const old = draft.read(collection, id);
  if (operation.kind === "add") {
    return old || dangles(draft.value, operation)
      ? []
      : [{ op: "add", collection: operation.collection, id, value: operation.value }];
  }
  if (!old) return [];
  if (operation.kind === "set") {
    const before = Object.fromEntries(Object.keys(operation.patch).map((key) => [key, old[key]]));
    return [{ op: "set", collection, id, patch: operation.patch, before }];
  }
  return cascade(draft, operation.collection, id).map((removal) => ({
    op: "remove" as const,
    collection: removal.collection,
    id: removal.id,
    before: draft.read(removal.collection, removal.id) ?? {},
  }));
}

/** The changes that the server is expected to answer, without what only it knows (addresses). */
export function predict(
  topology: Topology,
  operation: Operation,
): { topology: Topology; changes: Change[] } {
  if (operation.kind === "replace") {
    const document = normalizeDocument(operation.document);
    return { topology: document, changes: [{ op: "replace", document, before: topology }] };
  }
  const draft = new Draft(topology);
  const changes: Change[] = [];
  for (const simple of operation.kind === "batch" ? operation.operations : [operation]) {
    for (const change of predictSimple(draft, simple)) {
      applyChange(draft, change);
      changes.push(change);
    }
  }
  return { topology: draft.value, changes };
}

/** The operation that takes `changes` back; null when they changed nothing. */
export function invert(changes: readonly Change[]): Operation | null {
  const operations: SimpleOperation[] = [];
  for (const change of [...changes].reverse()) {
    switch (change.op) {
      case "replace":
        return { kind: "replace", document: change.before };
      case "add":
        operations.push(remove(change.collection, change.id));
        break;
      case "remove":
        operations.push({ ...change, kind: "add", value: change.before } as AddOperation);
        break;
      case "set":
        operations.push({
          kind: "set",
          collection: change.collection,
          id: change.id,
          patch: change.before,
        });
    }
  }
  if (operations.length === 0) return null;
  return { kind: "batch", operations: operations.map(plain), auto: false };
}

/** The operation without the parts that would change nothing any more; null when none is left. */
export function effective(topology: Topology, operation: Operation): Operation | null {
  if (operation.kind !== "batch") {
    return predict(topology, operation).changes.length > 0 ? operation : null;
  }
  const draft = new Draft(topology);
  const kept = operation.operations.filter((simple) => {
    const changes = predictSimple(draft, simple);
    for (const change of changes) applyChange(draft, change);
    return changes.length > 0;
  });
  return kept.length > 0 ? { ...operation, operations: kept } : null;
}

/** Only the properties that belong to the operation's kind go over the wire. */
function plain(operation: SimpleOperation): SimpleOperation {
  const { collection, id } = operation;
  switch (operation.kind) {
    case "add":
      return { kind: "add", collection: operation.collection, id, value: operation.value };
    case "set":
      return { kind: "set", collection, id, patch: operation.patch };
    case "remove":
      return { kind: "remove", collection: operation.collection, id };
  }
}
