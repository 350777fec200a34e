import { useEffect, useRef, useState } from "react";
import { action } from "../actions/registry";
import { perform } from "../actions/shortcuts";
import { fileName, save } from "../actions/transfer";
import type { TraceRequest } from "../api/traces";
import { useEditor, useFacts, useLab, useTopology } from "../app/editor";
import { isBusy } from "../net/session";
import { addressProblem } from "../panels/inspector/addresses";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { usePackets, useStory, useStoryModel } from "./hooks";
import type { Shown } from "./state";
import { useNames, useWords } from "./words";

const SHOWN: readonly Shown[] = ["dry", "seen", "both"];
const OTHER = "";

/** What is traced, how it is shown, and by what means the kernel told it. */
export function StoryBar() {
  const { t } = useWords();
  const editor = useEditor();
  const request = useStory((state) => state.request);
  const picked = useStory((state) => state.picked);
  const leave = action("leaveStory");
  const bar = useRef<HTMLElement>(null);
  // What had the keyboard may have made room for the story.
  useEffect(() => {
    if (document.activeElement === document.body) bar.current?.focus();
  }, []);
  return (
    <section ref={bar} tabIndex={-1} className="story-bar" aria-label={t("story.title")}>
      {request ? (
        <RequestForm key={JSON.stringify(request)} request={request} />
      ) : (
        <b className="story-subject">{t("story.packet", { number: picked ?? "" })}</b>
      )}
      <span className="spring" />
      {request && <ShownChoice />}
      <TierPill />
      {!editor.session.readOnly && <Download />}
      <Button label={t("actions.leaveStory")} icon="close" onPress={() => perform(editor, leave)}>
        {t("actions.leaveStory")}
      </Button>
    </section>
  );
}

function RequestForm({ request }: { request: TraceRequest }) {
  const { t } = useWords();
  const model = useStoryModel();
  const { nodes } = useTopology();
  const known = request.target in nodes;
  const [source, setSource] = useState(request.source);
  const [target, setTarget] = useState(known ? request.target : OTHER);
  const [address, setAddress] = useState(known ? "" : request.target);
  const [protocol, setProtocol] = useState(request.protocol);
  const [port, setPort] = useState(String(request.port ?? 80));
  const reason = useReason(target === OTHER ? address : null, protocol === "icmp" ? null : port);
  const hosts = Object.entries(nodes)
    .filter(([, { kind }]) => kind !== "uplink")
    .sort(([, a], [, b]) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const send = () => {
    if (reason) return;
    model.again({
      source,
      target: target === OTHER ? address : target,
      protocol,
      port: protocol === "icmp" ? null : Number(port),
    });
  };
  return (
    <form
      className="story-form"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <b className="story-subject">{t("story.title")}</b>
      <select
        className="input"
        aria-label={t("story.source")}
        value={source}
        onChange={(event) => setSource(event.target.value)}
      >
        {hosts.map(([id, { name }]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <span aria-hidden="true">→</span>
      <select
        className="input"
        aria-label={t("story.target")}
        value={target}
        onChange={(event) => setTarget(event.target.value)}
      >
        {hosts
          .filter(([id]) => id !== source)
          .map(([id, { name }]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        <option value={OTHER}>{t("probe.other")}</option>
      </select>
      {target === OTHER && (
        <input
          className="input mono story-address"
          aria-label={t("fields.address")}
          value={address}
          onChange={(event) => setAddress(event.target.value.trim())}
        />
      )}
      <select
        className="input"
        aria-label={t("story.protocol")}
        value={protocol}
        onChange={(event) => setProtocol(event.target.value as TraceRequest["protocol"])}
      >
        <option value="icmp">{t("story.icmp")}</option>
        <option value="tcp">TCP</option>
        <option value="udp">UDP</option>
      </select>
      {protocol !== "icmp" && (
        <input
          className="input mono story-port"
          aria-label={t("fields.port")}
          inputMode="numeric"
          value={port}
          onChange={(event) => setPort(event.target.value)}
        />
      )}
      <Button
        label={t("story.again")}
        icon="play"
        kind="primary"
        disabledReason={reason}
        onPress={send}
      >
        {t("story.again")}
      </Button>
    </form>
  );
}

/** Why nothing can be sent now; null: it can. */
function useReason(address: string | null, port: string | null): string | null {
  const { t } = useWords();
  const running = useFacts(({ lab }) => lab.running);
  const busy = useFacts(({ status }) => isBusy(status));
  const asking = useStory(({ phase }) => phase === "asking" || phase === "armed");
  const wrong = address === null ? null : addressProblem(address);
  if (!running) return t("reasons.notRunning");
  if (busy) return t("story.busy");
  if (asking) return t("story.asking");
  if (wrong) return t(wrong);
  const number = Number(port ?? 1);
  return Number.isInteger(number) && number >= 1 && number <= 65535 ? null : t("probe.portRange");
}

function ShownChoice() {
  const { t } = useWords();
  const model = useStoryModel();
  const shown = useStory((state) => state.shown);
  return (
    <fieldset className="btn-group story-shown" aria-label={t("story.shown.title")}>
      {SHOWN.map((one) => (
        <Button
          key={one}
          label={t(`story.shown.${one}`)}
          pressed={shown === one}
          onPress={() => model.show(one)}
        >
          {shown === one && <Icon name="check" />}
          {t(`story.shown.${one}`)}
        </Button>
      ))}
    </fieldset>
  );
}

/** Honest about what was not seen. */
function TierPill() {
  const { t } = useWords();
  const { tier, lost, unseen } = usePackets();
  if (tier === "") return null;
  const count = lost + unseen;
  return (
    <span className={count > 0 ? "pill warn" : "pill ok"} title={t(`packets.tierWhy.${tier}`)}>
      <Icon name={count > 0 ? "warning" : "check"} />
      {t(`packets.tier.${tier}`)} · {t("story.lost", { count })}
    </span>
  );
}

function Download() {
  const { t } = useWords();
  const editor = useEditor();
  const session = useLab();
  const request = useStory((state) => state.request);
  const nameOf = useNames();
  const nodes = request ? [request.source] : [];
  const download = async () => {
    const blob = await session.attempt(() => session.api.pcap({ nodes }));
    if (blob) save(blob, fileName(editor, "pcapng"));
  };
  return (
    <Button
      label={t("story.download", { name: nodes.map(nameOf).join(", ") })}
      icon="download"
      onPress={() => void download()}
    >
      pcapng
    </Button>
  );
}
