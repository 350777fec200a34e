import { useStore } from "zustand";
import { follow } from "../actions/story";
import type { PacketEnd } from "../api/traces";
import { useEditor, useUi } from "../app/editor";
import { formatElapsed } from "../panels/dock/time";
import { usePackets } from "../story/hooks";
import { useNames, useSentence } from "../story/words";
import { Button } from "../ui/Button";
import type { Player } from "./player";
import { useWords } from "./words";

const MOST = 200;

/** Where packets ended that should not have: the recording's list of contents. */
export function Endings({ player }: { player: Player }) {
  const { t } = useWords();
  usePackets();
  useStore(player.state, (state) => state.loaded);
  const faults = player.faults();
  return (
    <section className="replay-ends" aria-label={t("replay.wrong")}>
      <header className="replay-head">
        <h2>{t("replay.wrong")}</h2>
        <span className="chip">{faults.length}</span>
      </header>
      {faults.length === 0 && <p className="dim">{t("replay.nothingWrong")}</p>}
      <ol>
        {faults.slice(0, MOST).map((end) => (
          <Ending key={`${end.packet} ${end.time} ${end.node}`} player={player} end={end} />
        ))}
      </ol>
      {faults.length > MOST && (
        <p className="dim">{t("replay.more", { count: faults.length - MOST })}</p>
      )}
    </section>
  );
}

function Ending({ player, end }: { player: Player; end: PacketEnd }) {
  const { t } = useWords();
  const editor = useEditor();
  const say = useSentence();
  const nameOf = useNames();
  const { packet, time, node, verdict } = end;
  const { store } = editor.session.packets;
  const current = useUi(
    ({ pickedPacket }) => pickedPacket !== null && store.byNumber(pickedPacket)?.packet === packet,
  );
  return (
    <li className={current ? "current" : undefined}>
      <button
        type="button"
        className="replay-end"
        aria-current={current ? "true" : undefined}
        onClick={() => player.goTo(end)}
      >
        <span className="replay-when">
          <b className="bad" aria-hidden="true">
            ✕
          </b>
          <span className="mono">{formatElapsed(time - player.reach.from)}</span>
          <b>{nameOf(node)}</b>
        </span>
        <span>{say(verdict.text)}</span>
      </button>
      <Button
        label={t("replay.why", { packet })}
        icon="trace"
        kind="bare"
        onPress={() => {
          player.goTo(end);
          follow(editor, packet);
        }}
      />
    </li>
  );
}
