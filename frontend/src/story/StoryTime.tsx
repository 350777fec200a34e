import { ZoomButtons } from "../panels/dock/ZoomButtons";
import { Button } from "../ui/Button";
import { useStory, useStoryModel } from "./hooks";
import { formatRound, formatSpan } from "./journey";
import { Lanes } from "./Lanes";
import { SPEEDS } from "./state";
import { useWords } from "./words";

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
  const { t, i18n } = useWords();
  const model = useStoryModel();
  const playing = useStory((state) => state.playing);
  const speed = useStory((state) => state.speed);
  const at = useStory((state) => state.at);
  const stations = useStory((state) => state.stations);
  const chosen = SPEEDS.find((one) => one === speed) ?? SPEEDS[0];
  const slower =
    chosen < 1
      ? t("story.slower", { times: Math.round(1 / chosen).toLocaleString(i18n.language) })
      : "";
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
      <div className="story-row">
        <p className="story-at">
          <b>{t("story.hopOf", { number: at + 1, count: stations.length })}</b>
          <span className="mono dim"> · {formatSpan(stations[at]?.at ?? 0)}</span>
          <small className="dim">{slower}</small>
        </p>
        <Zoom />
      </div>
    </div>
  );
}

/** From the whole journey, seconds with their answer, down to parts of a microsecond. */
function Zoom() {
  const model = useStoryModel();
  const whole = useStory((state) => state.window === null);
  return (
    <ZoomButtons
      whole={whole}
      onZoom={(factor) => model.zoom(factor)}
      onAll={() => model.showWindow(null)}
    />
  );
}
