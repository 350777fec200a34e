import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Button } from "../ui/Button";
import { headlineOf } from "./headline";
import { useStory, useStoryModel } from "./hooks";
import { directionOf, formatRound, formatSpan, isFault, lanesOf, type Station } from "./journey";
import { SPEEDS, type StoryModel } from "./model";
import { type Scale, scaleOf } from "./scale";
import { useNames, useWords } from "./words";

const LANE = 22; // px between two nodes
const NARROW = 17; // when there are many of them
const MANY = 5;
const HEAD = 14; // px above the first
const NAMES = 92; // px for the nodes' names
const END = 26; // px kept free at the right
const SILENCE = 190; // px for the word that nothing came after
const DOT = 8;

/** The journey in time, node by node; the clock that runs through it. */
export function StoryTime() {
  const { t } = useWords();
  const stations = useStory((state) => state.stations);
  const phase = useStory((state) => state.phase);
  if (stations.length === 0) {
    const waiting = phase === "asking" || phase === "armed";
    return <p className="story-none dim">{t(waiting ? "story.watching" : "story.noHops")}</p>;
  }
  return (
    <>
      <Transport />
      <Lanes stations={stations} />
    </>
  );
}

function Transport() {
  const { t } = useWords();
  const model = useStoryModel();
  const playing = useStory((state) => state.playing);
  const speed = useStory((state) => state.speed);
  const at = useStory((state) => state.at);
  const stations = useStory((state) => state.stations);
  const chosen = SPEEDS.find((one) => one === speed) ?? SPEEDS[0];
  return (
    <div className="story-transport">
      <div className="btn-group" role="toolbar" aria-label={t("story.transport")}>
        <Button label={t("story.previous")} icon="previous" onPress={() => model.step(-1)} />
        <Button
          label={t(playing ? "timeline.pause" : "timeline.play")}
          icon={playing ? "pause" : "play"}
          onPress={() => (playing ? model.pause() : model.play())}
        />
        <Button label={t("story.next")} icon="next" onPress={() => model.step(1)} />
      </div>
      <select
        className="input"
        aria-label={t("story.speed")}
        value={chosen}
        onChange={(event) => model.setSpeed(Number(event.target.value))}
      >
        {SPEEDS.map((one) => (
          <option key={one} value={one}>
            {one >= 0.001 ? `${one}×` : t("story.perSecond", { span: formatRound(one * 1e9) })}
          </option>
        ))}
      </select>
      <p className="story-at">
        <b>{t("story.hopOf", { number: at + 1, count: stations.length })}</b>
        <span className="mono dim"> · {formatSpan(stations[at]?.at ?? 0)}</span>
      </p>
    </div>
  );
}

function keys(model: StoryModel, event: KeyboardEvent): void {
  const last = model.state.getState().stations.length - 1;
  if (event.key === "ArrowLeft" || event.key === "ArrowDown") model.step(-1);
  else if (event.key === "ArrowRight" || event.key === "ArrowUp") model.step(1);
  else if (event.key === "Home") model.go(0);
  else if (event.key === "End") model.go(last);
  else if (event.key === " ") {
    if (model.state.getState().playing) model.pause();
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

function Lanes({ stations }: { stations: readonly Station[] }) {
  const { t } = useWords();
  const model = useStoryModel();
  const nameOf = useNames();
  const at = useStory((state) => state.at);
  const clock = useStory((state) => state.clock);
  const { ref, width } = useWidth();
  const spoken = useSpoken();
  const lanes = lanesOf(stations);
  const scale = scaleOf([...new Set(stations.map((one) => one.at))].sort((a, b) => a - b));
  const { verdict } = model;
  const exchange = useStory((state) => state.exchange);
  const silent =
    verdict !== null && headlineOf(verdict, exchange) === "silent" && lanes.includes(verdict.node);
  const right = width - (silent ? SILENCE : END);
  const x = (ns: number) => NAMES + 12 + scale.x(ns) * (right - NAMES - 12);
  const lane = lanes.length < MANY ? LANE : NARROW;
  const y = (node: string) => HEAD + lanes.indexOf(node) * lane;
  const floor = HEAD + lanes.length * lane;
  const current = stations[at];
  return (
    <div
      ref={ref}
      className="story-lanes"
      role="slider"
      tabIndex={0}
      aria-label={t("story.timeline")}
      aria-valuemin={1}
      aria-valuemax={stations.length}
      aria-valuenow={at + 1}
      aria-valuetext={current && spoken(current, stations.length)}
      onKeyDown={(event) => keys(model, event)}
    >
      <svg width={width} height={floor + 22} aria-hidden="true">
        {lanes.map((node) => (
          <g key={node}>
            <text className="story-lane-name" x={4} y={y(node) + 4}>
              {nameOf(node)}
            </text>
            <path className="story-lane" d={`M${NAMES} ${y(node)}H${width - END + 10}`} />
          </g>
        ))}
        <Axis scale={scale} x={x} floor={floor} />
        {stations.map((one) => {
          const from = stations[one.before];
          return from ? (
            <path
              key={one.number}
              className={one.hop.how === "inferred" ? "story-way inferred" : "story-way"}
              d={`M${x(from.at)} ${y(from.hop.node)}L${x(one.at)} ${y(one.hop.node)}`}
            />
          ) : null;
        })}
        {silent && (
          <text className="story-silence" x={right + 18} y={y(verdict.node) + 4}>
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
      </svg>
    </div>
  );
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

function Axis({ scale, x, floor }: { scale: Scale; x: (ns: number) => number; floor: number }) {
  return (
    <g className="story-axis">
      {scale.ticks.map(({ ns }) => (
        <g key={ns} transform={`translate(${x(ns)} ${floor})`}>
          <path d="M0 -4V0" />
          <text y={12}>{formatRound(ns)}</text>
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
