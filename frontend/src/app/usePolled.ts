/** Ask again and again, as long as somebody can see the answer. */

import { useEffect, useRef, useState } from "react";
import { ApiError } from "../net/api";

export interface Polled<V> {
  value: V | null; // the newest answer; null before the first
  error: ApiError | null; // of the last call
}

/**
 * Call at once and `period` ms after each answer, while the page is in view. `key` names what is
 * asked for: another key forgets the answer. A null key asks nothing.
 */
export function usePolled<V>(key: string | null, call: () => Promise<V>, period: number) {
  const [state, setState] = useState<Polled<V>>({ value: null, error: null });
  const ask = useRef(call);
  ask.current = call;
  useEffect(() => {
    setState({ value: null, error: null });
    if (key === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const next = async () => {
      if (document.visibilityState === "visible") {
        try {
          const value = await ask.current();
          if (!gone) setState({ value, error: null });
        } catch (reason) {
          const error = reason instanceof ApiError ? reason : new ApiError(0, String(reason));
          if (!gone) setState(({ value }) => ({ value, error }));
        }
      }
      if (!gone) timer = setTimeout(next, period);
    };
    void next();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [key, period]);
  return state;
}
