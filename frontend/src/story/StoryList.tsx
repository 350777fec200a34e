import { useState } from "react";
import type { Exchange } from "../api/traces";
import { useTopology } from "../app/editor";
import type { Topology } from "../doc/model";
import type { PacketRow } from "../packets/index";
import { ProtocolMark } from "../panels/dock/ProtocolMark";
import { Icon } from "../ui/Icon";
import { usePackets, useStory, useStoryModel } from "./hooks";
import { formatSpan } from "./journey";
import { useSentence, useWords } from "./words";

const MOST = 40; // exchanges

/** Packets that answer each other, together; the exchange of the story first. */
export function StoryList() {
  const { t } = useWords();
  const store = usePackets();
  const current = useStory((state) => state.exchange);
  const others = store
    .allExchanges()
    .filter(({ id }) => id !== current?.id)
    .reverse()
    .slice(0, MOST);
  return (
    <section className="story-list" aria-label={t("story.conversation")}>
      <header className="story-head">
        <h2>{t("story.conversation")}</h2>
      </header>
      {!current && others.length === 0 && <p className="dim story-none">{t("story.noExchange")}</p>}
      <ul>
        {current && <Group key={`open ${current.id}`} exchange={current} initially />}
        {others.map((exchange) => (
          <Group key={exchange.id} exchange={exchange} initially={false} />
        ))}
      </ul>
    </section>
  );
}

const TONE: Record<Exchange["state"], [tone: string, sign: string]> = {
  open: ["pend", "…"],
  answered: ["ok", "✓"],
  unanswered: ["bad", "✕"],
  refused: ["warn", "⊘"],
};

function Group({ exchange, initially }: { exchange: Exchange; initially: boolean }) {
  const { t } = useWords();
  const { nodes, interfaces } = useTopology();
  const [open, setOpen] = useState(initially);
  const { kind, state, requests, replies } = exchange;
  const name = (address: string) => ownerOf(address, interfaces, nodes) ?? address;
  const end = usePackets().endOf(exchange.request);
  const dropped = state === "open" && end?.verdict.kind === "fault";
  const [tone, sign] = TONE[dropped ? "unanswered" : state];
  const title = t(`story.exchange.${kind}`, {
    source: name(exchange.source),
    target: kind === "arp" || kind === "nd" ? exchange.target : name(exchange.target),
    port: exchange.port,
    title: exchange.title ?? "",
  });
  const counts = t("story.counts", {
    requests: t("story.requests", { count: requests }),
    replies: t("story.replies", { count: replies }),
  });
  return (
    <li className={open ? "story-group open" : "story-group"}>
      <button
        type="button"
        className="story-group-head"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span className={`story-sign ${tone}`} aria-hidden="true">
          {sign}
        </span>
        <span>
          <b>{title}</b>
          <small className={tone}>
            {t(dropped ? "story.headline.dropped" : `story.state.${state}`)} · {counts}
          </small>
        </span>
        <Icon name={open ? "up" : "down"} size={14} />
      </button>
      {open && <Packets packets={exchange.packets} />}
    </li>
  );
}

function Packets({ packets }: { packets: readonly number[] }) {
  const store = usePackets();
  return (
    <ol className="story-packets">
      {packets.map((packet) => (
        <PacketItem key={packet} packet={packet} rows={store.byPacket(packet)} />
      ))}
    </ol>
  );
}

function PacketItem({ packet, rows }: { packet: number; rows: readonly PacketRow[] }) {
  const { t } = useWords();
  const model = useStoryModel();
  const say = useSentence();
  const picked = useStory((state) => state.picked);
  const end = usePackets().endOf(packet);
  const [first, last] = [rows[0], rows[rows.length - 1]];
  return (
    <li>
      <button
        type="button"
        className="story-packet"
        aria-current={picked === packet ? "true" : undefined}
        onClick={() => void model.look(packet)}
      >
        <span className="story-info">
          {first ? <ProtocolMark protocol={first.protocol} /> : null}{" "}
          {first?.info ?? t("story.packet", { number: packet })}
        </span>
        {first && last && last !== first && (
          <span className="mono dim">{formatSpan((last.time - first.time) * 1e9)}</span>
        )}
        {end && (
          <small className={end.verdict.kind === "fault" ? "bad" : "dim"}>
            {end.verdict.kind === "fault" ? "✕" : "■"} {say(end.verdict.text)}
          </small>
        )}
      </button>
    </li>
  );
}

/** The drawn name of who has an address. */
function ownerOf(
  address: string,
  interfaces: Topology["interfaces"],
  nodes: Topology["nodes"],
): string | null {
  const has = (all: readonly string[]) => all.some((one) => one.split("/", 1)[0] === address);
  const port = Object.values(interfaces).find(({ addresses }) => has(addresses));
  const node = port?.node ?? Object.keys(nodes).find((id) => has(nodes[id]?.addresses ?? []));
  return node === undefined ? null : (nodes[node]?.name ?? null);
}
