import { useEffect, useState } from "react";

export const PERIOD = 200; // ms: hot data reaches React five times a second at most

/** Call `act` at most once a `period`, the last time included. */
export function paced(act: () => void, period = PERIOD): { ask: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let again = false;
  const turn = () => {
    timer = null;
    if (!again) return;
    again = false;
    ask();
  };
  const ask = () => {
    if (timer !== null) {
      again = true;
      return;
    }
    timer = setTimeout(turn, period);
    act();
  };
  const stop = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  return { ask, stop };
}

/** Renders anew when `subscribe` tells of a change, five times a second at most. */
export function usePaced(subscribe: (listener: () => void) => () => void): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const { ask, stop } = paced(() => setTurn((before) => before + 1));
    const unsubscribe = subscribe(ask);
    ask();
    return () => {
      unsubscribe();
      stop();
    };
  }, [subscribe]);
  return turn;
}
