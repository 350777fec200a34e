/** The drawing as the rows of a tree: groups → nodes → interfaces and services, then notes. */

import { indexOf, peerOf, type TopologyIndex } from "../../doc/graph";
import type { TopoGroup, Topology } from "../../doc/model";

export type RowKind = "group" | "node" | "port" | "service" | "note";

export interface Row {
  id: string;
  kind: RowKind;
  level: number;
  parent: string | null;
  expanded: boolean | null; // null: nothing to expand
  position: number; // among its siblings, from 1
  siblings: number;
}

/** What rows are made of. */
export type Drawn = Pick<Topology, "nodes" | "groups" | "notes"> &
  Pick<TopologyIndex, "interfacesOf" | "servicesOf">;

const byName = new Intl.Collator("en", { numeric: true });

function inside(group: TopoGroup, x: number, y: number): boolean {
  return x >= group.x && x <= group.x + group.width && y >= group.y && y <= group.y + group.height;
}

/** Node → the smallest group that it stands in. */
function groupsOfNodes(topology: Drawn): Map<string, string> {
  const groups = Object.entries(topology.groups).sort(
    ([, a], [, b]) => a.width * a.height - b.width * b.height,
  );
  const found = new Map<string, string>();
  for (const [id, node] of Object.entries(topology.nodes)) {
    const group = groups.find(([, one]) => inside(one, node.x, node.y));
    if (group) found.set(id, group[0]);
  }
  return found;
}

function sorted<V>(items: [string, V][], name: (value: V) => string): string[] {
  return items.sort(([, a], [, b]) => byName.compare(name(a), name(b))).map(([id]) => id);
}

/** All visible rows. Groups are open unless `closed` has them; nodes are closed unless `open` does. */
export function rowsOf(
  topology: Drawn,
  open: ReadonlySet<string>,
  closed: ReadonlySet<string>,
): Row[] {
  const rows: Row[] = [];
  const groupOf = groupsOfNodes(topology);
  const nodes = Object.entries(topology.nodes);
  const members = (group: string | undefined) =>
    sorted(
      nodes.filter(([id]) => groupOf.get(id) === group),
      (node) => node.name,
    );
  const push = (
    ids: string[],
    kind: RowKind,
    level: number,
    parent: string | null,
    among = { before: 0, all: ids.length },
  ) => {
    for (const [at, id] of ids.entries()) {
      const row: Row = {
        id,
        kind,
        level,
        parent,
        expanded: null,
        position: among.before + at + 1,
        siblings: among.all,
      };
      rows.push(row);
      if (kind === "group") pushInto(row, [[members(id), "node"]], !closed.has(id));
      if (kind !== "node") continue;
      const ports = topology.interfacesOf.get(id) ?? [];
      const services = topology.servicesOf.get(id) ?? [];
      pushInto(
        row,
        [
          [ports, "port"],
          [services, "service"],
        ],
        open.has(id),
      );
    }
  };
  const pushInto = (row: Row, children: [string[], RowKind][], expanded: boolean) => {
    const all = children.reduce((sum, [ids]) => sum + ids.length, 0);
    if (all === 0) return;
    row.expanded = expanded;
    if (!expanded) return;
    let before = 0;
    for (const [ids, kind] of children) {
      push(ids, kind, row.level + 1, row.id, { before, all });
      before += ids.length;
    }
  };
  const groups = sorted(Object.entries(topology.groups), (group) => group.name);
  const loose = members(undefined);
  const notes = Object.keys(topology.notes);
  const all = groups.length + loose.length + notes.length;
  push(groups, "group", 1, null, { before: 0, all });
  push(loose, "node", 1, null, { before: groups.length, all });
  push(notes, "note", 1, null, { before: groups.length + loose.length, all });
  return rows;
}

/** Where Alt+arrow leads along the cables. `from` is the node or interface one came from. */
export function neighboursOf(topology: Topology, node: string): string[] {
  const ports = indexOf(topology).interfacesOf.get(node) ?? [];
  const peers = ports.flatMap((port) => peerOf(topology, port)?.node ?? []);
  return [...new Set(peers)];
}
