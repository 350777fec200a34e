import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type View, xOf } from "./brush";
import type { DockModel } from "./dockModel";
import { PERIOD } from "./paced";
import { formatElapsed } from "./time";
import { type Head, reachOf, showWindow } from "./timeView";
import { windowFor } from "./zoom";

const STEP = 0.01; // of what is shown, for one press
const LEAP = 0.1;

interface Props {
  dock: DockModel;
  head: Head;
  view: () => View;
}

/** The moment of a recording that is shown: a slider in time. */
export function HeadHandle({ dock, head, view }: Props) {
  const { t } = useTranslation();
  const handle = useRef<HTMLDivElement>(null);
  const { from, to } = head.reach;

  useEffect(() => {
    const follow = () => {
      const element = handle.current;
      if (!element) return;
      const width = element.parentElement?.clientWidth ?? 0;
      const time = head.time();
      const x = Math.max(0, Math.min(width, xOf(time, view(), width)));
      element.style.transform = `translateX(${x}px)`;
      element.setAttribute("aria-valuenow", (time - from).toFixed(3));
      element.setAttribute("aria-valuetext", formatElapsed(time - from));
    };
    follow();
    const timer = setInterval(follow, PERIOD);
    return () => clearInterval(timer);
  }, [head, view, from]);

  return (
    <div
      ref={handle}
      role="slider"
      tabIndex={0}
      className="head-handle"
      aria-label={t("timeline.moment")}
      aria-description={t("timeline.keys")}
      aria-valuemin={0}
      aria-valuemax={Math.ceil(to - from)}
      aria-valuenow={head.time() - from}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const reach = reachOf(dock, head.time());
        const next = windowFor(event.key, view(), head.time(), reach);
        const time = timeFor(event.key, head, view());
        if (next) showWindow(dock, event.key === "0" ? null : next, reach);
        else if (time !== null) head.seek(time);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}

/** Where a key takes the moment; null: it is no key of the slider. */
function timeFor(key: string, head: Head, view: View): number | null {
  const shown = view.to - view.from;
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return head.time() - shown * STEP;
    case "ArrowRight":
    case "ArrowUp":
      return head.time() + shown * STEP;
    case "PageDown":
      return head.time() - shown * LEAP;
    case "PageUp":
      return head.time() + shown * LEAP;
    case "Home":
      return head.reach.from;
    case "End":
      return head.reach.to;
    default:
      return null;
  }
}
