import "./timeline.css";
import { type PointerEvent, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { useFacts, useLab } from "../../app/editor";
import { preferences } from "../../app/preferences";
import { THEMES } from "../../scene/theme";
import { Button } from "../../ui/Button";
import { BrushHandle } from "./BrushHandle";
import { between, timeAt, type View, viewAt } from "./brush";
import type { DockModel } from "./dockModel";
import { drawTimeline } from "./drawTimeline";
import { isOpen, NO_SPAN } from "./filter";
import { PERIOD } from "./paced";
import { formatElapsed } from "./time";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];

/** When packets passed: play and pause, speed, and a brush that filters the list. */
export function Timeline({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  return (
    <section className="timeline" aria-label={t("timeline.title")}>
      <Transport dock={dock} />
      <Strip dock={dock} />
      <LiveButton dock={dock} />
    </section>
  );
}

function Transport({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const lab = useLab();
  const paused = useFacts((facts) => facts.packetsPaused);
  return (
    <>
      <fieldset className="btn-group" aria-label={t("timeline.transport")}>
        <Button label={t("timeline.previous")} icon="previous" onPress={() => dock.step(-1)} />
        <Button
          label={t(paused ? "timeline.play" : "timeline.pause")}
          icon={paused ? "play" : "pause"}
          pressed={paused}
          shortcut="K"
          onPress={() => lab.setPacketsPaused(!paused)}
        />
        <Button label={t("timeline.next")} icon="next" onPress={() => dock.step(1)} />
      </fieldset>
      <select
        className="input speed mono"
        aria-label={t("timeline.speed")}
        title={t("timeline.speed")}
        defaultValue={1}
        onChange={(event) => {
          const { playout } = dock.editor;
          if (playout) playout.speed = Number(event.target.value);
        }}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {speed}×
          </option>
        ))}
      </select>
    </>
  );
}

function LiveButton({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const paused = useFacts((facts) => facts.packetsPaused);
  const follow = useStore(dock.state, (state) => state.follow);
  const open = useStore(dock.state, (state) => isOpen(state.filter.span));
  return (
    <Button
      label={t("timeline.live")}
      pressed={!paused && follow && open}
      onPress={() => dock.live()}
    >
      <span className="live-dot" aria-hidden="true" />
      {t("timeline.live")}
    </Button>
  );
}

/** What the strip shows, kept out of React: it moves five times a second. */
interface Moment {
  view: View;
  now: number | null;
}

function Strip({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const clock = useRef<HTMLSpanElement>(null);
  const rate = useRef<HTMLSpanElement>(null);
  const moment = useRef<Moment>({ view: viewAt(0), now: null });
  const theme = useStore(preferences, (state) => state.theme);
  const span = useStore(dock.state, (state) => state.filter.span);
  const picked = useStore(dock.state, (state) => state.picked?.time ?? null);
  const paused = useFacts((facts) => facts.packetsPaused);
  const brush = useBrush(dock, moment);

  useEffect(() => {
    const { histogram, clock: kernel } = dock.watch;
    const draw = () => {
      const element = canvas.current;
      if (!element) return;
      if (!paused || moment.current.now === null || kernel.first === null) {
        moment.current.now = kernel.now();
      }
      const { now } = moment.current;
      const view = viewAt(now ?? 0);
      moment.current.view = view;
      const origin = kernel.first ?? 0;
      if (clock.current)
        clock.current.textContent = now === null ? "–" : formatElapsed(now - origin);
      if (rate.current) {
        const last = histogram.bars(view.to - 1.5, view.to - 0.5);
        const count = last.reduce((sum, bar) => sum + bar.total, 0);
        rate.current.textContent = t("timeline.rate", { count });
      }
      const { width, height } = sized(element);
      const pen = element.getContext("2d");
      if (!pen) return;
      const bars = histogram.bars(view.from, view.to);
      drawTimeline(pen, {
        width,
        height,
        view,
        bars,
        span,
        origin,
        picked,
        theme: THEMES[theme],
      });
    };
    draw();
    const timer = setInterval(draw, PERIOD);
    return () => clearInterval(timer);
  }, [dock, theme, span, picked, paused, t]);

  return (
    <>
      <div className="strip" {...brush}>
        <canvas ref={canvas} role="img" aria-label={t("timeline.picture")} />
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

const CLICK = 3; // px: less is a click, which takes the span away

function useBrush(dock: DockModel, moment: { current: Moment }) {
  const anchor = useRef<{ x: number; time: number } | null>(null);
  const place = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - box.left;
    return { x, time: timeAt(x, moment.current.view, box.width) };
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0 || moment.current.now === null) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      anchor.current = place(event);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const from = anchor.current;
      const to = place(event);
      if (from && Math.abs(to.x - from.x) >= CLICK) dock.brush(between(from.time, to.time));
    },
    onPointerUp: (event: PointerEvent<HTMLElement>) => {
      const from = anchor.current;
      anchor.current = null;
      if (from && Math.abs(place(event).x - from.x) < CLICK) dock.brush(NO_SPAN);
    },
    onPointerCancel: () => {
      anchor.current = null;
    },
  };
}
