/** The worker's side: one request, one answer. */
import { arrange } from "./arrange";
import type { LayoutGraph, LayoutKind } from "./graph";

addEventListener("message", (event: MessageEvent<{ graph: LayoutGraph; kind: LayoutKind }>) => {
  postMessage(arrange(event.data.graph, event.data.kind));
});
