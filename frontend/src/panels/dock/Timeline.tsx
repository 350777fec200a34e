import "./timeline.css";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { useFacts, useLab } from "../../app/editor";
import { Button } from "../../ui/Button";
import type { DockModel } from "./dockModel";
import { isOpen } from "./filter";
import { Strip } from "./Strip";
import { zoomBy } from "./timeView";
import { ZoomButtons } from "./ZoomButtons";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 10];

/** When packets passed: play and pause, speed, and a brush that filters the list. */
export function Timeline({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  return (
    <section className="timeline" aria-label={t("timeline.title")}>
      <Transport dock={dock} />
      <Strip dock={dock} />
      <Zoom dock={dock} />
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

/** Nearer or farther: the line stands still then; live it follows the last two minutes. */
export function Zoom({ dock }: { dock: DockModel }) {
  const whole = useStore(dock.state, (state) => state.window === null);
  const now = () => dock.head?.time() ?? dock.watch.clock.now();
  return (
    <ZoomButtons
      whole={whole && dock.head !== null}
      onZoom={(factor) => {
        const at = now();
        if (at !== null) zoomBy(dock, factor, at);
      }}
      onAll={() => dock.showAll()}
    />
  );
}

function LiveButton({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const paused = useFacts((facts) => facts.packetsPaused);
  const follow = useStore(dock.state, (state) => state.follow);
  const open = useStore(dock.state, (state) => isOpen(state.filter.span) && state.window === null);
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
