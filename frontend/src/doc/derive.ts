/**
 * Document and live state → what the canvas draws. Each object's result is kept as long as the
 * values it was made from are the same objects, so 1,000 nodes cost a pass of comparisons.
 */

import type {
  SceneBadge,
  SceneContent,
  SceneGroup,
  SceneLink,
  SceneNode,
  SceneNote,
} from "../scene/contract";
import { indexOf } from "./graph";
import { learnedAddresses } from "./learned";
import {
  formatRate,
  type LiveInterface,
  type LiveLink,
  type LiveNode,
  type LiveView,
  type ServiceState,
} from "./live";
import type { TopoGroup, TopoLink, Topology, TopoNode, TopoNote } from "./model";
import { SERVICE_LETTER } from "./services";
import type { Problem } from "./store";

interface Cached<V> {
  inputs: readonly unknown[];
  value: V;
}

function remembered<V>(
  cache: Map<string, Cached<V>>,
  id: string,
  inputs: readonly unknown[],
  make: () => V,
): V {
  const known = cache.get(id);
  const same = known?.inputs.length === inputs.length;
  if (same && known.inputs.every((input, at) => input === inputs[at])) return known.value;
  const value = make();
  cache.set(id, { inputs, value });
  return value;
}

/** "10.0.1.11/24" → "10.0.1.11" */
function bare(prefix: string): string {
  return prefix.split("/", 1)[0] ?? prefix;
}

/** The worst problem of each thing on the canvas; nodes stand for all that they have. */
export function problemsByObject(
  topology: Topology,
  problems: readonly Problem[],
): Map<string, "error" | "warning"> {
  const worst = new Map<string, "error" | "warning">();
  for (const { path, severity } of problems) {
    const [, collection, id = ""] = path.split("/");
    const owner =
      collection === "interfaces"
        ? topology.interfaces[id]?.node
        : collection === "routes"
          ? topology.routes[id]?.node
          : collection === "services"
            ? topology.services[id]?.node
            : id;
    if (owner && worst.get(owner) !== "error") worst.set(owner, severity);
  }
  return worst;
}

function nodeState(live: LiveNode | undefined, view: LiveView): SceneNode["state"] {
  if (!view.running) return "draft";
  if (!live?.present) return "planned";
  if (view.stale) return "stale";
  const states = Object.values(live.interfaces).map((port) => port.state);
  if (states.includes("missing")) return "down";
  return states.some((state) => state === "down" || state === "nocarrier") ? "warning" : "up";
}

function linkState(link: TopoLink, live: LiveLink | undefined, view: LiveView): SceneLink["state"] {
  if (!view.running) return link.up ? "draft" : "off";
  if (!live || live.state === "missing") return "planned";
  if (view.stale) return "stale";
  return live.state;
}

const NONE: readonly never[] = [];

function badgeState(state: ServiceState | undefined): SceneBadge["state"] {
  return state === "starting" || state === "running" || state === "failed" ? state : "drawn";
}

const BLOCKED = new Set(["blocking", "listening"]);

function livePort(node: LiveNode | undefined, id: string): LiveInterface | undefined {
  if (!node) return undefined;
  return Object.values(node.interfaces).find((port) => port.id === id);
}

export class Deriver {
  private nodes = new Map<string, Cached<SceneNode>>();
  private links = new Map<string, Cached<SceneLink>>();
  private children = new Map<string, Cached<SceneLink>>();
  private notes = new Map<string, Cached<SceneNote>>();
  private groups = new Map<string, Cached<SceneGroup>>();
  private labels = new Map<string, Cached<string>>();
  private badges = new Map<string, Cached<readonly SceneBadge[]>>();

  /** Everything. Unchanged objects come as the same values as last time. */
  content(
    topology: Topology,
    live: LiveView,
    problems: ReadonlyMap<string, "error" | "warning">,
  ): SceneContent {
    this.forget(topology);
    return {
      nodes: this.nodesOf(Object.keys(topology.nodes), topology, live, problems),
      links: [...this.linksOf(Object.keys(topology.links), topology, live), ...this.kin(topology)],
      groups: Object.entries(topology.groups).map(([id, group]) => this.group(id, group)),
      notes: Object.entries(topology.notes).map(([id, note]) => this.note(id, note)),
    };
  }

  /** Only these nodes: for the live stream. Unknown ids are left out. */
  nodesOf(
    ids: readonly string[],
    topology: Topology,
    live: LiveView,
    problems: ReadonlyMap<string, "error" | "warning">,
  ): SceneNode[] {
    return ids.flatMap((id) => {
      const node = topology.nodes[id];
      if (!node) return [];
      const now = live.node(id);
      const problem = problems.get(id) ?? (live.warningAt(id) ? "warning" : null);
      const label = this.label(id, node, topology, now);
      const badges = this.badgesOf(id, topology, now, live);
      const inputs = [node, now, problem, live.running, live.stale, label, badges];
      return remembered(this.nodes, id, inputs, () => ({
        id,
        kind: node.kind,
        name: node.name,
        label,
        x: node.x,
        y: node.y,
        state: nodeState(now, live),
        drift: (now?.drift.length ?? 0) > 0,
        problem,
        badges,
      }));
    });
  }

  linksOf(ids: readonly string[], topology: Topology, live: LiveView): SceneLink[] {
    return ids.flatMap((id) => {
      const link = topology.links[id];
      const a = link && topology.interfaces[link.a];
      const b = link && topology.interfaces[link.b];
      if (!link || !a || !b) return [];
      const now = live.link(id);
      const [liveA, liveB] = [live.node(a.node), live.node(b.node)];
      const alarm = live.warningAt(id)?.code ?? null;
      const inputs = [link, a, b, now, liveA, liveB, live.running, live.stale, alarm];
      return remembered(this.links, id, inputs, () => {
        const state = linkState(link, now, live);
        const rate = live.running && !live.stale ? (now?.rate_ab ?? 0) + (now?.rate_ba ?? 0) : 0;
        const blockedA = BLOCKED.has(livePort(liveA, link.a)?.stp ?? "");
        return {
          id,
          a: a.node,
          b: b.node,
          portA: a.name,
          portB: b.name,
          state,
          blockedEnd: state === "blocked" ? (blockedA ? "a" : "b") : null,
          rate,
          rateLabel: formatRate(rate),
          alarm,
        };
      });
    });
  }

  /** Lines from children to their parents in other nodes. */
  private kin({ interfaces }: Topology): SceneLink[] {
    return Object.entries(interfaces).flatMap(([id, child]) => {
      const parent = interfaces[child.parent ?? ""];
      if (!parent || parent.node === child.node) return [];
      return remembered(this.children, id, [child, parent], () => ({
        id,
        a: child.node,
        b: parent.node,
        portA: child.name,
        portB: parent.name,
        state: "child" as const,
        blockedEnd: null,
        rate: 0,
        rateLabel: "",
        alarm: null,
      }));
    });
  }

  /** The second line: the first address, drawn or learned. */
  private label(id: string, node: TopoNode, topology: Topology, now: LiveNode | undefined): string {
    if (node.kind === "switch" && node.addresses.length === 0) return "";
    const ids = indexOf(topology).interfacesOf.get(id) ?? NONE;
    const ports = ids.map((port) => topology.interfaces[port]);
    return remembered(this.labels, id, [node, now, ...ports], () => {
      const dhcp = ports.some((port) => port?.dhcp);
      const drawn = ports.flatMap((port) => port?.addresses ?? []);
      const learned = now ? learnedAddresses(topology, id, now) : [];
      const leased = learned.find(({ origin }) => origin === "dhcp");
      if (dhcp) return leased ? `${bare(leased.address)} DHCP` : "DHCP…";
      const first = node.addresses[0] ?? drawn[0] ?? learned[0]?.address;
      return first === undefined ? "" : bare(first);
    });
  }

  /** What the node serves, by kind, and whether it does. */
  private badgesOf(
    id: string,
    topology: Topology,
    now: LiveNode | undefined,
    live: LiveView,
  ): readonly SceneBadge[] {
    const ids = indexOf(topology).servicesOf.get(id);
    if (!ids) return NONE;
    const inputs = [topology.services, now?.services, live.running, live.stale];
    return remembered(this.badges, id, inputs, () =>
      ids.flatMap((service) => {
        const drawn = topology.services[service];
        const state = live.running && !live.stale ? now?.services?.[service]?.state : undefined;
        return drawn ? [{ letter: SERVICE_LETTER[drawn.kind], state: badgeState(state) }] : [];
      }),
    );
  }

  private group(id: string, group: TopoGroup): SceneGroup {
    return remembered(this.groups, id, [group], () => ({ id, ...group }));
  }

  private note(id: string, note: TopoNote): SceneNote {
    return remembered(this.notes, id, [note], () => ({ id, ...note }));
  }

  private forget(topology: Topology): void {
    const prune = (cache: Map<string, unknown>, items: Record<string, unknown>) => {
      for (const id of cache.keys()) if (!Object.hasOwn(items, id)) cache.delete(id);
    };
    prune(this.nodes, topology.nodes);
    prune(this.labels, topology.nodes);
    prune(this.badges, topology.nodes);
    prune(this.links, topology.links);
    prune(this.children, topology.interfaces);
    prune(this.notes, topology.notes);
    prune(this.groups, topology.groups);
  }
}
