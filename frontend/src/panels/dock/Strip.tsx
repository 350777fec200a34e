import { type PointerEvent, type RefObject, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { useFacts, useLab } from "../../app/editor";
import { preferences } from "../../app/preferences";
import type { PacketStore } from "../../packets/index";
import { THEMES } from "../../scene/theme";
import { BrushHandle } from "./BrushHandle";
import { between, timeAt, type View, viewAt, xOf } from "./brush";
import type { DockModel } from "./dockModel";
import { drawTimeline } from "./drawTimeline";
import { NO_SPAN } from "./filter";
import { HeadHandle } from "./HeadHandle";
import { type Bar, BIN, binOf, fineBars } from "./histogram";
import { PERIOD } from "./paced";
import { formatElapsed } from "./time";
import { reachOf, showWindow, windowOf } from "./timeView";
import { wheeled } from "./zoom";

/** What the strip shows, kept out of React: it moves five times a second. */
export interface Moment {
  view: View;
  now: number | null;
}

/** Packets in time: bars by protocol, crosses where one ended, and a brush that filters the list. */
export function Strip({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const clock = useRef<HTMLSpanElement>(null);
  const rate = useRef<HTMLSpanElement>(null);
  const moment = useRef<Moment>({ view: viewAt(0), now: null });
  const box = useRef<HTMLDivElement>(null);
  usePicture(dock, moment, { canvas, clock, rate });
  useWheel(dock, moment, box);
  const brush = useBrush(dock, moment);
  return (
    <>
      <div ref={box} className={dock.head ? "strip replayed" : "strip"} {...brush}>
        <canvas ref={canvas} role="img" aria-label={t("timeline.picture")} />
        {dock.head && <HeadHandle dock={dock} head={dock.head} view={() => moment.current.view} />}
        <BrushHandle dock={dock} edge="from" view={() => moment.current.view} />
        <BrushHandle dock={dock} edge="to" view={() => moment.current.view} />
      </div>
      <div className="timeline-now mono">
        <span ref={clock} />
        <span ref={rate} className="dim" />
      </div>
    </>
  );
}

interface Parts {
  canvas: RefObject<HTMLCanvasElement | null>;
  clock: RefObject<HTMLSpanElement | null>;
  rate: RefObject<HTMLSpanElement | null>;
}

function usePicture(dock: DockModel, moment: { current: Moment }, parts: Parts): void {
  const { t } = useTranslation();
  const { store } = useLab().packets;
  const theme = useStore(preferences, (state) => state.theme);
  const span = useStore(dock.state, (state) => state.filter.span);
  const window = useStore(dock.state, (state) => state.window);
  const picked = useStore(dock.state, (state) => state.picked?.time ?? null);
  const paused = useFacts((facts) => facts.packetsPaused);
  const { canvas, clock, rate } = parts;
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn anew when the window changes
  useEffect(() => {
    const { histogram, clock: kernel } = dock.watch;
    const bars = barsOnce(dock);
    const draw = () => {
      const element = canvas.current;
      if (!element) return;
      const held = paused && moment.current.now !== null && kernel.first !== null;
      if (dock.head) moment.current.now = dock.head.time();
      else if (!held) moment.current.now = kernel.now();
      const { now } = moment.current;
      const view = windowOf(dock, now ?? 0);
      moment.current.view = view;
      const origin = dock.head?.reach.from ?? kernel.first ?? 0;
      const bin = binOf(view);
      tell(
        clock.current,
        now === null ? "–" : formatElapsed(now - origin, view.to - view.from < 1),
      );
      const whole = Math.floor((now ?? 0) / BIN) * BIN; // the last second of which all is known
      const last = histogram.bars(whole - 1, whole);
      const count = last.reduce((sum, bar) => sum + bar.total, 0);
      tell(rate.current, t("timeline.rate", { count }));
      const pen = element.getContext("2d");
      if (!pen) return;
      drawTimeline(pen, {
        ...sized(element),
        view,
        bars: bars(view, bin),
        bin,
        drops: faultsOf(store),
        head: dock.head?.time() ?? null,
        span,
        origin,
        picked,
        theme: THEMES[theme],
      });
    };
    draw();
    const timer = setInterval(draw, PERIOD);
    return () => clearInterval(timer);
  }, [dock, store, theme, span, window, picked, paused, t, moment, canvas, clock, rate]);
}

/** The bars of a window, counted anew only when it or the packets changed. */
function barsOnce(dock: DockModel): (view: View, bin: number) => readonly Bar[] {
  const { store } = dock.editor.session.packets;
  let key = "";
  let bars: readonly Bar[] = [];
  return (view, bin) => {
    const now = `${store.version} ${view.from} ${view.to}`;
    if (now === key) return bars;
    key = now;
    // Of a recording every row is there; live the histogram remembers more than the list.
    const fine = bin < BIN || dock.head !== null;
    bars = fine ? fineBars(store.all(), view, bin) : dock.watch.histogram.wide(view, bin);
    return bars;
  };
}

/** When packets ended that should not have, s. */
function faultsOf(store: PacketStore): number[] {
  const faults = store.allEnds().filter(({ verdict: { kind } }) => kind === "fault");
  return faults.map(({ time }) => time).sort((a, b) => a - b);
}

function tell(element: HTMLElement | null, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Sizes the bitmap to the element; leaves the pen scaled to CSS px. */
function sized(element: HTMLCanvasElement): { width: number; height: number } {
  const { clientWidth: width, clientHeight: height } = element;
  const ratio = window.devicePixelRatio || 1;
  const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (element.width !== columns || element.height !== rows) {
    element.width = columns;
    element.height = rows;
  }
  element.getContext("2d")?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { width, height };
}

/** The wheel zooms about the pointer, from minutes to microseconds; sideways it pans. */
function useWheel(
  dock: DockModel,
  moment: { current: Moment },
  box: RefObject<HTMLDivElement | null>,
): void {
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      const { now, view } = moment.current;
      if (event.ctrlKey || now === null) return; // Ctrl: the browser's own zoom
      event.preventDefault();
      const { left, width } = element.getBoundingClientRect();
      const reach = reachOf(dock, now);
      const at = timeAt(event.clientX - left, view, width, 0);
      showWindow(dock, wheeled(event, view, at, reach), reach);
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [dock, moment, box]);
}

const CLICK = 3; // px: less is a click
const NEAR = 6; // px from a cross that is meant

/** A drag chooses a span; over a recording it moves the moment, and with Shift it chooses. */
function useBrush(dock: DockModel, moment: { current: Moment }) {
  const anchor = useRef<{ x: number; time: number } | null>(null);
  const place = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const { view } = moment.current;
    const x = event.clientX - box.left;
    return { x, time: timeAt(x, view, box.width, binOf(view)), width: box.width, view };
  };
  const scrubs = (event: PointerEvent<HTMLElement>) => dock.head !== null && !event.shiftKey;
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0 || moment.current.now === null) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const at = place(event);
      anchor.current = at;
      if (scrubs(event)) dock.head?.seek(timeAt(at.x, at.view, at.width, 0));
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = anchor.current;
      const to = place(event);
      if (!from || Math.abs(to.x - from.x) < CLICK) return;
      if (scrubs(event)) dock.head?.seek(timeAt(to.x, to.view, to.width, 0));
      else dock.brush(between(from.time, to.time, binOf(to.view)));
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      const from = anchor.current;
      anchor.current = null;
      const { x, view, width } = place(event);
      if (!from || Math.abs(x - from.x) >= CLICK) return;
      const end = dock.endNear(timeAt(x, view, width, 0), timeOf(NEAR, view, width));
      if (end) dock.pick(end);
      else if (!dock.head) dock.brush(NO_SPAN);
    },
    onPointerCancel: () => {
      anchor.current = null;
    },
  };
}

function timeOf(px: number, view: View, width: number): number {
  return px / Math.max(1e-12, xOf(view.from + 1, view, width));
}
