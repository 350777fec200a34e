/** The face of one thing, as the tree and the inspector show it. */

import type { TFunction } from "i18next";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useLab } from "../../app/editor";
import { indexOf } from "../../doc/graph";
import type { LiveView } from "../../doc/live";
import type { Topology } from "../../doc/model";
import { type Faced, faceOf } from "./faces";
import type { RowFace } from "./OutlineRow";

/** Renders anew only when the face differs, whatever else of the lab changes. */
export function useFace({ id, kind }: Faced, t: TFunction): RowFace {
  const { doc, live } = useLab();
  const subscribe = useCallback(
    (listener: () => void) => {
      const stops = [doc.subscribe(listener), live.subscribe(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    [doc, live],
  );
  const read = useMemo(() => {
    const face = faceReader({ id, kind }, t);
    return () => face(doc.topology, live);
  }, [id, kind, doc, live, t]);
  return useSyncExternalStore(subscribe, read);
}

/** Makes the face when its inputs differ, and gives the one before when it comes out the same. */
function faceReader(of: Faced, t: TFunction): (topology: Topology, live: LiveView) => RowFace {
  let known: { inputs: readonly unknown[]; face: RowFace } | null = null;
  return (topology, live) => {
    const inputs = inputsOf(of, topology, live);
    if (known?.inputs.every((input, at) => input === inputs[at])) return known.face;
    const face = faceOf(of, topology, live, t);
    known = { inputs, face: known && sameFace(known.face, face) ? known.face : face };
    return known.face;
  };
}

/** All that `faceOf` looks at. */
function inputsOf({ id, kind }: Faced, topology: Topology, live: LiveView): readonly unknown[] {
  const { nodes, interfaces, links, services } = topology;
  if (kind === "group") return [topology.groups[id]];
  if (kind === "note") return [topology.notes[id]];
  if (kind === "node") {
    const { interfacesOf, linksAt } = indexOf(topology);
    const ports = interfacesOf.get(id);
    const first = interfaces[ports?.[0] ?? ""];
    return [nodes[id], ports, first, linksAt, live.node(id), live.running, live.stale];
  }
  const owner = (kind === "port" ? interfaces[id] : services[id])?.node ?? "";
  return [nodes, interfaces, links, services[id], live.node(owner), live.running, live.stale];
}

function sameFace(one: RowFace, other: RowFace): boolean {
  return (Object.keys(other) as (keyof RowFace)[]).every((name) => one[name] === other[name]);
}
