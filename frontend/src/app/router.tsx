/** Paths of this small application; the server answers them all with the same page. */

import type { MouseEvent, ReactNode } from "react";
import { useSyncExternalStore } from "react";

export type Route =
  | { page: "labs" }
  | { page: "lab"; id: number }
  | { page: "recordings" }
  | { page: "recording"; id: number }
  | { page: "shared"; token: string }
  | { page: "login" }
  | { page: "missing" };

/** Which page a path names. */
export function routeOf(path: string): Route {
  if (path === "/" || path === "") return { page: "labs" };
  if (/^\/login\/?$/.test(path)) return { page: "login" };
  if (/^\/recordings\/?$/.test(path)) return { page: "recordings" };
  const recording = /^\/recordings\/(\d+)\/?$/.exec(path);
  if (recording?.[1]) return { page: "recording", id: Number(recording[1]) };
  const shared = /^\/shared\/([\w-]+)\/?$/.exec(path);
  if (shared?.[1]) return { page: "shared", token: shared[1] };
  const lab = /^\/labs\/(\d+)\/?$/.exec(path);
  return lab?.[1] ? { page: "lab", id: Number(lab[1]) } : { page: "missing" };
}

const listeners = new Set<() => void>();
window.addEventListener("popstate", () => {
  for (const listener of listeners) listener();
});

export function navigate(path: string, replace = false): void {
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  for (const listener of listeners) listener();
}

export function usePath(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname,
  );
}

interface LinkProps {
  to: string;
  className?: string;
  label?: string;
  children: ReactNode;
}

/** A real link; a plain click stays in the page. */
export function Link({ to, className, label, children }: LinkProps) {
  const click = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} className={className} aria-label={label} onClick={click}>
      {children}
    </a>
  );
}
