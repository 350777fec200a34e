import "../panels/dock/timeline.css";
import { useStore } from "zustand";
import { announce } from "../app/messages";
import type { DockModel } from "../panels/dock/dockModel";
import { Strip } from "../panels/dock/Strip";
import { Zoom } from "../panels/dock/Timeline";
import { useSentence } from "../story/words";
import { Button } from "../ui/Button";
import { type Player, SPEEDS } from "./player";
import { useWords } from "./words";

/** The whole recording in time: play, step, jump from fault to fault, and the moment itself. */
export function ReplayTime({ dock, player }: { dock: DockModel; player: Player }) {
  const { t } = useWords();
  return (
    <section className="timeline" aria-label={t("timeline.title")}>
      <Transport dock={dock} player={player} />
      <Strip dock={dock} />
      <Zoom dock={dock} />
    </section>
  );
}

function Transport({ dock, player }: { dock: DockModel; player: Player }) {
  const { t } = useWords();
  const say = useSentence();
  const playing = useStore(player.state, (state) => state.playing);
  const speed = useStore(player.state, (state) => state.speed);
  const jump = (by: 1 | -1) => {
    const end = player.fault(by);
    announce(end ? say(end.verdict.text) : t(by > 0 ? "replay.noneAfter" : "replay.noneBefore"));
  };
  return (
    <>
      <fieldset className="btn-group" aria-label={t("timeline.transport")}>
        <Button label={t("replay.faultBefore")} shortcut="⇧N" onPress={() => jump(-1)}>
          <span aria-hidden="true">‹✕</span>
        </Button>
        <Button
          label={t("timeline.previous")}
          shortcut=","
          icon="previous"
          onPress={() => dock.step(-1)}
        />
        <Button
          label={t(playing ? "timeline.pause" : "timeline.play")}
          icon={playing ? "pause" : "play"}
          pressed={playing}
          shortcut="K"
          onPress={() => player.toggle()}
        />
        <Button label={t("timeline.next")} shortcut="." icon="next" onPress={() => dock.step(1)} />
        <Button label={t("replay.faultNext")} shortcut="N" onPress={() => jump(1)}>
          <span aria-hidden="true">✕›</span>
        </Button>
      </fieldset>
      <select
        className="input speed mono"
        aria-label={t("replay.speed")}
        title={t("replay.speed")}
        value={speed}
        onChange={(event) => player.setSpeed(Number(event.target.value))}
      >
        {SPEEDS.map((one) => (
          <option key={one} value={one}>
            {one}×
          </option>
        ))}
      </select>
    </>
  );
}
