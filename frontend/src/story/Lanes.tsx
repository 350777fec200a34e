import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { wheeled, windowFor } from "../panels/dock/zoom";
import { headlineOf } from "./headline";
import { useStory, useStoryModel } from "./hooks";
import { directionOf, formatSpan, formatTick, isFault, lanesOf, type Station } from "./journey";
import type { StoryModel } from "./model";
import { linearScale, nsAt, type Scale, scaleOf } from "./scale";
import { useNames, useWords } from "./words";

const LANE = 22; // px between two nodes
const NARROW = 17; // when there are many of them
const MANY = 5;
const HEAD = 14; // px above the first
const NAMES = 92; // px for the nodes' names
const END = 26; // px kept free at the right
const SILENCE = 190; // px for the word that nothing came after
const DOT = 8;
const STAY = 92; // px between two stations of a node, from which there is room to say how long

function keys(model: StoryModel, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { stations, window, clock, playing } = model.state.getState();
  const { reach } = model;
  const next = windowFor(event.key, window ?? reach, clock, reach);
  if (next) model.showWindow(next);
  else if (event.key === "ArrowLeft" || event.key === "ArrowDown") model.step(-1);
  else if (event.key === "ArrowRight" || event.key === "ArrowUp") model.step(1);
  else if (event.key === "Home") model.go(0);
  else if (event.key === "End") model.go(stations.length - 1);
  else if (event.key === "PageUp") model.another(-1);
  else if (event.key === "PageDown") model.another(1);
  else if (event.key === " ") {
    if (playing) model.pause();
    else model.play();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(240, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}

/** The wheel zooms about the pointer; sideways it pans. It must not scroll the page as well. */
function useWheel(
  ref: React.RefObject<HTMLDivElement | null>,
  model: StoryModel,
  timeAt: (x: number) => number,
): void {
  const at = useRef(timeAt);
  at.current = timeAt;
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      if (event.ctrlKey) return; // the browser's own zoom
      event.preventDefault();
      const { window } = model.state.getState();
      const x = event.clientX - element.getBoundingClientRect().left;
      model.showWindow(wheeled(event, window ?? model.reach, at.current(x), model.reach));
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [ref, model]);
}

/** Where things stand on the time-line, px. */
interface Ladder {
  x: (ns: number) => number;
  y: (node: string) => number;
  left: number;
  right: number;
  floor: number;
}

/** The packet's way, a line for each node that it comes to. */
export function Lanes({ stations }: { stations: readonly Station[] }) {
  const { t } = useWords();
  const model = useStoryModel();
  const nameOf = useNames();
  const at = useStory((state) => state.at);
  const clock = useStory((state) => state.clock);
  const window = useStory((state) => state.window);
  const exchange = useStory((state) => state.exchange);
  const { ref, width } = useWidth();
  const spoken = useSpoken();
  const lanes = lanesOf(stations);
  const moments = [...new Set(stations.map((one) => one.at))].sort((a, b) => a - b);
  const scale = window ? linearScale(window) : scaleOf(moments);
  const { verdict } = model;
  const silent =
    verdict !== null && headlineOf(verdict, exchange) === "silent" && lanes.includes(verdict.node);
  const left = NAMES + 12;
  const right = width - (silent && !window ? SILENCE : END);
  const lane = lanes.length < MANY ? LANE : NARROW;
  const ladder: Ladder = {
    x: (ns) => left + scale.x(ns) * (right - left),
    y: (node) => HEAD + lanes.indexOf(node) * lane,
    left,
    right,
    floor: HEAD + lanes.length * lane,
  };
  const { x, y, floor } = ladder;
  useWheel(ref, model, (px) => nsAt(scale, (px - left) / (right - left), model.reach.to));
  const current = stations[at];
  return (
    <div
      ref={ref}
      className="story-lanes"
      role="slider"
      tabIndex={0}
      aria-label={t("story.timeline")}
      aria-description={t("story.timelineKeys")}
      aria-valuemin={1}
      aria-valuemax={stations.length}
      aria-valuenow={at + 1}
      aria-valuetext={current && spoken(current, stations.length)}
      onKeyDown={(event) => keys(model, event)}
    >
      <svg width={width} height={floor + 22} aria-hidden="true">
        <clipPath id="story-window">
          <rect x={left - 12} y={0} width={Math.max(0, width - left)} height={floor + 22} />
        </clipPath>
        {lanes.map((node) => (
          <g key={node}>
            <text className="story-lane-name" x={4} y={y(node) + 4}>
              {nameOf(node)}
            </text>
            <path className="story-lane" d={`M${NAMES} ${y(node)}H${width - END + 10}`} />
          </g>
        ))}
        <g clipPath="url(#story-window)">
          <Axis scale={scale} ladder={ladder} />
          <Ways stations={stations} ladder={ladder} />
          {silent && (
            <text
              className="story-silence"
              x={(window ? x(stations.at(-1)?.at ?? 0) : right) + 18}
              y={y(verdict.node) + 4}
            >
              ✕ {t("story.after")}
            </text>
          )}
          <path className="story-cursor" d={`M${x(clock)} 2V${floor}`} />
          {stations.map((one, index) => (
            <Dot
              key={one.number}
              station={one}
              x={x(one.at)}
              y={y(one.hop.node)}
              current={index === at}
              bad={isFault(one, verdict)}
              onPick={() => model.go(index)}
            />
          ))}
        </g>
      </svg>
    </div>
  );
}

/** From station to station; on a node's own line, with the time that it took where there is room. */
function Ways({ stations, ladder }: { stations: readonly Station[]; ladder: Ladder }) {
  const { x, y } = ladder;
  return stations.map((one) => {
    const from = stations[one.before];
    if (!from) return null;
    const [start, end] = [x(from.at), x(one.at)];
    const stays = from.hop.node === one.hop.node && end - start >= STAY;
    return (
      <g key={one.number}>
        <path
          className={one.hop.how === "inferred" ? "story-way inferred" : "story-way"}
          d={`M${start} ${y(from.hop.node)}L${end} ${y(one.hop.node)}`}
        />
        {stays && (
          <text className="story-stay" x={(start + end) / 2} y={y(one.hop.node) - 5}>
            {formatSpan(one.at - from.at)}
          </text>
        )}
      </g>
    );
  });
}

/** Says a station in words, for who cannot see the line. */
function useSpoken(): (station: Station, count: number) => string {
  const { t } = useWords();
  const model = useStoryModel();
  const nameOf = useNames();
  return (station, count) => {
    const { hop, number, at } = station;
    return t("story.spoken", {
      number,
      count,
      node: nameOf(hop.node),
      interface: hop.interface,
      direction: t(`story.direction.${directionOf(station, model.verdict)}`),
      span: formatSpan(at),
    });
  };
}

interface DotProps {
  station: Station;
  x: number;
  y: number;
  current: boolean;
  bad: boolean;
  onPick: () => void;
}

function Dot({ station, x, y, current, bad, onPick }: DotProps) {
  const look = `story-dot${current ? " current" : ""}${bad ? " drop" : ""}`;
  return (
    <g className={look} transform={`translate(${x} ${y})`} onPointerDown={onPick}>
      <circle r={DOT} />
      <text y={3.5}>{bad ? "✕" : station.number}</text>
    </g>
  );
}

function Axis({ scale, ladder: { x, floor } }: { scale: Scale; ladder: Ladder }) {
  const [first, second] = scale.ticks;
  const step = first && second ? second.ns - first.ns : 0;
  return (
    <g className="story-axis">
      {scale.ticks.map(({ ns }) => (
        <g key={ns} transform={`translate(${x(ns)} ${floor})`}>
          <path d="M0 -4V0" />
          <text y={12}>{formatTick(ns, step)}</text>
        </g>
      ))}
      {scale.cuts.map(({ from, to }) => (
        <g key={from} transform={`translate(${(x(from) + x(to)) / 2} ${floor})`}>
          <path d="M-4 4 L0 -6M0 4 L4 -6" />
          <text y={-8}>{formatSpan(to - from)}</text>
        </g>
      ))}
    </g>
  );
}
