import "../app/shell.css";
import "../panels/dock/dock.css";
import { Suspense, useEffect, useMemo } from "react";
import { Group, Panel, Separator, useDefaultLayout } from "react-resizable-panels";
import type { RecordingInfo } from "../api/recordings";
import { useEditor, useUi } from "../app/editor";
import { LiveRegion, Toasts } from "../app/Messages";
import { StoryBar, StoryList, StoryTables, StoryTime, StoryVerdict } from "../app/stories";
import type { Api } from "../net/api";
import { CanvasPanel } from "../panels/canvas/CanvasPanel";
import { DockModel } from "../panels/dock/dockModel";
import { PacketsPane } from "../panels/dock/PacketsPane";
import { PacketTools } from "../panels/dock/PacketTools";
import { Endings } from "./Endings";
import { listenReplay } from "./keys";
import { NodeThen } from "./NodeThen";
import type { Player } from "./player";
import { ReplayBar } from "./ReplayBar";
import { ReplayTime } from "./ReplayTime";
import { useWords } from "./words";

interface Props {
  api: Api;
  at: string;
  own: number | null;
  player: Player;
  info: RecordingInfo;
}

/** The rooms of a recording: what went wrong, the canvas, what was known, time-line and packets. */
export function ReplayShell({ api, at, own, player, info }: Props) {
  const { t } = useWords();
  const editor = useEditor();
  const story = useUi((state) => state.story !== null);
  const dock = useMemo(() => new DockModel(editor, player), [editor, player]);
  const rows = useDefaultLayout({ id: "topoweb.replayRows", storage: localStorage });
  const columns = useDefaultLayout({ id: "topoweb.replayColumns", storage: localStorage });
  useEffect(() => {
    const stops = [
      dock.start(),
      listenReplay(editor, player, dock),
      dock.state.subscribe(({ picked }, before) => {
        if (picked && picked !== before.picked) player.lookAt(picked);
      }),
    ];
    dock.state.setState({ follow: false });
    player.pause(); // the canvas stands until it is played
    return () => {
      for (const stop of stops) stop();
    };
  }, [editor, player, dock]);
  return (
    <div className="shell">
      <ReplayBar api={api} at={at} own={own} info={info} />
      <Suspense>{story && <StoryBar />}</Suspense>
      <main className="shell-rows">
        <Group orientation="vertical" {...rows}>
          <Panel id="upper" minSize={200}>
            <Group orientation="horizontal" className="shell-columns" {...columns}>
              <Panel id="left" defaultSize={272} minSize={180} maxSize={420}>
                <div className="left">
                  <Suspense>{story ? <StoryList /> : <Endings player={player} />}</Suspense>
                </div>
              </Panel>
              <Separator className="grip vertical" aria-label={t("shell.resizeLeft")} />
              <Panel id="canvas" minSize={260}>
                <div className="middle">
                  <CanvasPanel />
                </div>
              </Panel>
              <Separator className="grip vertical" aria-label={t("shell.resizeRight")} />
              <Panel id="right" defaultSize={330} minSize={220} maxSize={560}>
                <div className="right">
                  <Suspense>{story ? <StoryVerdict /> : <NodeThen info={info} />}</Suspense>
                </div>
              </Panel>
            </Group>
          </Panel>
          <Separator className="grip horizontal" aria-label={t("shell.resizeDock")} />
          <Panel id="dock" defaultSize={360} minSize={190}>
            <section className="dock" aria-label={t("dock.title")}>
              <div className={story ? "dock-top story-time" : "dock-top"}>
                <Suspense>
                  {story ? <StoryTime /> : <ReplayTime dock={dock} player={player} />}
                </Suspense>
              </div>
              <div className="dock-body">
                <Suspense>{story ? <StoryTables /> : <Packets dock={dock} />}</Suspense>
              </div>
            </section>
          </Panel>
        </Group>
      </main>
      <Toasts />
      <LiveRegion />
    </div>
  );
}

function Packets({ dock }: { dock: DockModel }) {
  const { t } = useWords();
  return (
    <section className="replay-packets" aria-label={t("packets.title")}>
      <div className="dock-bar">
        <h2>{t("packets.title")}</h2>
        <PacketTools dock={dock} />
      </div>
      <PacketsPane dock={dock} />
    </section>
  );
}
