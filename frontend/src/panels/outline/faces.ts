/** What a row of the outline shows and says. */

import type { TFunction } from "i18next";
import { indexOf, peerOf } from "../../doc/graph";
import type { InterfaceState, LiveView } from "../../doc/live";
import type { Topology } from "../../doc/model";
import { serviceSummary } from "../../doc/services";
import { serviceStateKey, serviceTone } from "../inspector/services/status";
import type { RowFace } from "./OutlineRow";
import type { Row } from "./rows";

/** Whose face it is. */
export type Faced = Pick<Row, "id" | "kind">;

const PORT_TONE: Record<InterfaceState, RowFace["tone"]> = {
  up: "ok",
  down: "bad",
  off: "off",
  nocarrier: "warn",
  unknown: "ok",
  missing: "bad",
};

function nodeState(id: string, live: LiveView): { state: string; tone: RowFace["tone"] } {
  if (!live.running) return { state: "draft", tone: "off" };
  const node = live.node(id);
  if (!node?.present) return { state: "planned", tone: "pend" };
  if (live.stale) return { state: "stale", tone: "off" };
  const states = Object.values(node.interfaces).map((port) => port.state);
  if (states.includes("missing")) return { state: "down", tone: "bad" };
  const weak = states.some((state) => state === "down" || state === "nocarrier");
  return weak ? { state: "warning", tone: "warn" } : { state: "up", tone: "ok" };
}

function lastOctet(prefix: string | undefined): string {
  const address = prefix?.split("/", 1)[0] ?? "";
  return address.includes(".") ? `.${address.split(".").at(-1)}` : address;
}

function nodeFace(id: string, topology: Topology, live: LiveView, t: TFunction): RowFace {
  const node = topology.nodes[id];
  const { state, tone } = nodeState(id, live);
  const ports = indexOf(topology).interfacesOf.get(id) ?? [];
  const cabled = ports.filter((port) => indexOf(topology).linksAt.has(port)).length;
  const first = topology.interfaces[ports[0] ?? ""]?.addresses[0];
  const drift = (live.node(id)?.drift.length ?? 0) > 0;
  const name = node?.name ?? "";
  const words = [
    name,
    t(`kind.${node?.kind}`),
    t(`state.${state}`),
    t("outline.cables", { count: cabled }),
  ];
  if (drift) words.push(t("outline.drift"));
  return {
    name,
    glyph: node?.kind ?? "host",
    state: `state.${state}`,
    tone,
    hint: node?.kind === "host" && first ? lastOctet(first) : `${cabled} ⇄`,
    spoken: words.join(", "),
    drift,
  };
}

function portFace(id: string, topology: Topology, live: LiveView, t: TFunction): RowFace {
  const port = topology.interfaces[id];
  const name = port?.name ?? "";
  const now = live.node(port?.node ?? "")?.interfaces[name];
  const peer = peerOf(topology, id);
  const far = peer
    ? `${topology.nodes[peer.node]?.name}:${topology.interfaces[peer.port]?.name}`
    : "";
  const blocked = now?.stp === "blocking" || now?.stp === "listening";
  const known = live.running ? (now?.state ?? "planned") : "draft";
  const state = blocked ? "blocked" : known;
  const tone = blocked ? "warn" : now && live.running ? PORT_TONE[now.state] : "off";
  const words = [
    t("outline.port", { name }),
    port?.addresses.join(", ") ?? "",
    port?.dhcp ? "DHCP" : "",
    t(`state.${state}`),
    far === "" ? t("outline.free") : t("outline.to", { name: far }),
  ];
  return {
    name,
    glyph: "port",
    state: `state.${state}`,
    tone,
    hint: far === "" ? "–" : `→ ${far}`,
    spoken: words.filter((word) => word !== "").join(", "),
    drift: false,
  };
}

function serviceFace(id: string, topology: Topology, live: LiveView, t: TFunction): RowFace {
  const service = topology.services[id];
  if (!service) return { ...NO_STATE, name: "", glyph: "service", hint: "", spoken: "" };
  const now = live.node(service.node)?.services?.[id];
  const state = serviceStateKey(service, now, live);
  const name = t(`services.kind.${service.kind}`);
  const hint = serviceSummary(service, (port) => topology.interfaces[port]?.name ?? "–");
  return {
    name,
    glyph: "service",
    state,
    tone: serviceTone(service, now, live),
    hint,
    spoken: [t("services.service", { name }), hint, t(state)].filter(Boolean).join(", "),
    drift: false,
  };
}

const NO_STATE = { state: "", tone: "off", drift: false } as const;

export function faceOf(row: Faced, topology: Topology, live: LiveView, t: TFunction): RowFace {
  if (row.kind === "node") return nodeFace(row.id, topology, live, t);
  if (row.kind === "port") return portFace(row.id, topology, live, t);
  if (row.kind === "service") return serviceFace(row.id, topology, live, t);
  if (row.kind === "group") {
    const name = topology.groups[row.id]?.name ?? "";
    return { ...NO_STATE, name, glyph: "group", hint: "", spoken: `${name}, ${t("kind.group")}` };
  }
  const name = (topology.notes[row.id]?.text ?? "").split("\n", 1)[0]?.slice(0, 40) ?? "";
  return { ...NO_STATE, name, glyph: "note", hint: "", spoken: `${name}, ${t("kind.note")}` };
}
