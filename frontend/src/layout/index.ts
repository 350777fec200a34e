import type { LayoutGraph, LayoutKind, LayoutResult } from "./graph";

export type { LayoutGraph, LayoutKind, LayoutResult } from "./graph";

/** Tidies a drawing in a worker thread; rejects when the signal aborts or the worker fails. */
export function tidy(
  graph: LayoutGraph,
  kind: LayoutKind,
  signal?: AbortSignal,
): Promise<LayoutResult> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
    name: "layout",
  });
  return new Promise<LayoutResult>((resolve, reject) => {
    worker.addEventListener("message", (event: MessageEvent<LayoutResult>) => resolve(event.data));
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
    signal?.addEventListener("abort", () => reject(signal.reason));
    worker.postMessage({ graph, kind });
  }).finally(() => worker.terminate());
}
