/** What is asked for a moment later is fetched while nothing else is to do. */

type Load = () => Promise<unknown>;

const PATIENCE = 1_000; // ms, where the browser does not tell when it is idle

const whenIdle = (act: () => void) =>
  "requestIdleCallback" in window ? requestIdleCallback(act) : setTimeout(act, PATIENCE);
const notAnyMore = (handle: number) =>
  "cancelIdleCallback" in window ? cancelIdleCallback(handle) : clearTimeout(handle);

/** One after the other; returns how to stop. What cannot be fetched now is when it is asked for. */
export function prefetch(loads: readonly Load[]): () => void {
  const waiting = [...loads];
  let handle = 0;
  const next = () => {
    const load = waiting.shift();
    if (!load) return;
    handle = Number(
      whenIdle(() => {
        load().then(next, () => {});
      }),
    );
  };
  next();
  return () => {
    waiting.length = 0;
    notAnyMore(handle);
  };
}
