import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { type Edge, nudge, timeAt, type View, xOf } from "./brush";
import type { DockModel } from "./dockModel";
import { NO_SPAN } from "./filter";
import { binOf } from "./histogram";
import { PERIOD } from "./paced";
import { formatElapsed } from "./time";
import { reachOf, showWindow } from "./timeView";
import { windowFor } from "./zoom";

interface Props {
  dock: DockModel;
  edge: Edge;
  view: () => View; // the time-line moves on under the handle
}

/** One edge of the brush: a slider in time. At its own end of the strip the span is open. */
export function BrushHandle({ dock, edge, view }: Props) {
  const { t } = useTranslation();
  const span = useStore(dock.state, (state) => state.filter.span);
  const handle = useRef<HTMLDivElement>(null);
  const time = span[edge];

  useEffect(() => {
    const follow = () => {
      const element = handle.current;
      const width = element?.parentElement?.clientWidth ?? 0;
      if (!element) return;
      const x = time === null ? (edge === "from" ? 0 : width) : xOf(time, view(), width);
      element.style.transform = `translateX(${Math.max(0, Math.min(width, x))}px)`;
    };
    follow();
    const timer = setInterval(follow, PERIOD);
    return () => clearInterval(timer);
  }, [edge, time, view]);

  const { from, to } = view();
  const origin = dock.head?.reach.from ?? dock.watch.clock.first ?? from;
  return (
    <div
      ref={handle}
      role="slider"
      tabIndex={0}
      className={time === null ? "brush-handle" : "brush-handle set"}
      aria-label={t(edge === "from" ? "timeline.from" : "timeline.to")}
      aria-description={t("timeline.keys")}
      aria-valuemin={Math.floor(from - origin)}
      aria-valuemax={Math.ceil(to - origin)}
      aria-valuenow={(time ?? (edge === "from" ? from : to)) - origin}
      aria-valuetext={
        time === null
          ? t(edge === "from" ? "timeline.start" : "timeline.now")
          : formatElapsed(time - origin)
      }
      onKeyDown={(event) => {
        const key = event.key;
        if (dock.watch.clock.first === null || event.ctrlKey || event.metaKey || event.altKey)
          return;
        const next = key === "Escape" ? NO_SPAN : nudge(span, edge, key, view(), binOf(view()));
        const reach = reachOf(dock, view().to);
        const window = windowFor(key, view(), time ?? view()[edge], reach);
        if (next) dock.brush(next);
        else if (window) showWindow(dock, key === "0" ? null : window, reach);
        else return;
        event.preventDefault();
      }}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        event.stopPropagation();
        const box = event.currentTarget.parentElement?.getBoundingClientRect();
        if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const bin = binOf(view());
        const at = timeAt(event.clientX - box.left, view(), box.width, bin);
        dock.brush(
          edge === "from"
            ? { ...span, from: Math.min(at, (span.to ?? view().to) - bin) }
            : { ...span, to: Math.max(at, (span.from ?? view().from) + bin) },
        );
      }}
    />
  );
}
