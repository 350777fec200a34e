import { useCallback, useMemo } from "react";
import { ToggleButton } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { fileName, save } from "../../actions/transfer";
import { useDrawn, useFacts, useLab } from "../../app/editor";
import { LEGEND } from "../../packets/index";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import type { DockModel } from "./dockModel";
import { captureFilter, isOpen, NO_SPAN, toggled } from "./filter";
import { ProtocolMark } from "./ProtocolMark";
import { usePaced } from "./paced";
import { formatElapsed } from "./time";

/** What the list is filtered by, what it does not hold, and the download. */
export function PacketTools({ dock }: { dock: DockModel }) {
  return (
    <div className="packet-tools">
      <NodeSelect dock={dock} />
      <TextFilter dock={dock} />
      <ProtocolChips dock={dock} />
      <PacketChip dock={dock} />
      <SpanChip dock={dock} />
      <Tier />
      <Missing dock={dock} />
      {!dock.editor.session.readOnly && <Download dock={dock} />}
    </div>
  );
}

function NodeSelect({ dock }: { dock: DockModel }) {
  const { t, i18n } = useTranslation();
  const nodes = useDrawn((drawing) => drawing.nodes);
  const node = useStore(dock.state, (state) => state.filter.node);
  const names = useMemo(() => {
    const order = new Intl.Collator(i18n.language, { numeric: true });
    return Object.entries(nodes)
      .map(([id, { name }]) => ({ id, name }))
      .sort((a, b) => order.compare(a.name, b.name));
  }, [nodes, i18n.language]);
  return (
    <select
      className="input node-filter"
      aria-label={t("packets.node")}
      value={node !== null && node in nodes ? node : ""}
      onChange={(event) => dock.filter({ node: event.target.value || null })}
    >
      <option value="">{t("packets.allNodes")}</option>
      {names.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function TextFilter({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const text = useStore(dock.state, (state) => state.filter.text);
  return (
    <input
      type="search"
      className="input text-filter"
      aria-label={t("packets.text")}
      placeholder={t("packets.text")}
      value={text}
      onChange={(event) => dock.filter({ text: event.target.value })}
      onKeyDown={(event) => {
        if (event.key === "Escape" && text !== "") dock.filter({ text: "" });
      }}
    />
  );
}

/** The legend's protocols, and what else has been seen. */
function ProtocolChips({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const chosen = useStore(dock.state, (state) => state.filter.protocols);
  const { store } = useLab().packets;
  const turn = usePaced(useCallback((listener) => store.subscribe(listener), [store]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` says that the store changed
  const seen = useMemo(() => {
    const names = new Set([...store.all().map((row) => row.protocol), ...chosen]);
    const known = LEGEND.filter((name) => names.delete(name));
    return [...known, ...[...names].sort()];
  }, [store, turn, chosen]);
  return (
    <fieldset className="protocol-chips" aria-label={t("packets.protocols")}>
      {seen.map((protocol) => (
        <ToggleButton
          key={protocol}
          className="chip"
          isSelected={chosen.has(protocol)}
          onChange={() => dock.filter({ protocols: toggled(chosen, protocol) })}
        >
          <ProtocolMark protocol={protocol} />
        </ToggleButton>
      ))}
    </fieldset>
  );
}

/** The one packet that is followed. */
function PacketChip({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const packet = useStore(dock.state, (state) => state.filter.packet);
  if (packet === null) return null;
  return (
    <span className="chip span-chip">
      {t("packets.onlyPacket", { packet })}
      <Button
        label={t("packets.clearPacket")}
        icon="close"
        kind="bare"
        onPress={() => dock.filter({ packet: null })}
      />
    </span>
  );
}

function SpanChip({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const span = useStore(dock.state, (state) => state.filter.span);
  if (isOpen(span)) return null;
  const origin = dock.watch.clock.first ?? 0;
  const text = (time: number | null) => (time === null ? "" : formatElapsed(time - origin));
  return (
    <span className="chip span-chip mono">
      {text(span.from)} – {text(span.to)}
      <Button
        label={t("packets.clearSpan")}
        icon="close"
        kind="bare"
        onPress={() => dock.brush(NO_SPAN)}
      />
    </span>
  );
}

/** By what means the kernel tells of packets. */
function Tier() {
  const { t } = useTranslation();
  const { store } = useLab().packets;
  usePaced(useCallback((listener) => store.subscribe(listener), [store]));
  const { tier } = store;
  if (tier === "") return null;
  return (
    <span className="chip tier" title={t(`packets.tierWhy.${tier}`)}>
      {t(`packets.tier.${tier}`)}
    </span>
  );
}

/** Honest about what is not here: not sent, not drawn, lost by the capture itself. */
function Missing({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const { store } = useLab().packets;
  usePaced(useCallback((listener) => store.subscribe(listener), [store]));
  const counts = [
    ["notDrawn", dock.editor.playout?.dropped ?? 0],
    ["notListed", store.gap],
    ["lost", store.lost + store.unseen],
  ] as const;
  return counts
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => (
      <span key={kind} className={`chip missing ${kind}`} title={t(`packets.${kind}Why`)}>
        <Icon name="warning" size={12} />
        {t(`packets.${kind}`, { count })}
      </span>
    ));
}

function Download({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const session = useLab();
  const running = useFacts((facts) => facts.lab.running);
  const filter = useStore(dock.state, (state) => state.filter);
  const wanted = captureFilter(filter);
  const label = t(Object.keys(wanted).length > 0 ? "packets.downloadFiltered" : "packets.download");
  const download = async () => {
    const blob = await session.attempt(() => session.api.pcap(wanted));
    if (blob) save(blob, fileName(dock.editor, "pcapng"));
  };
  return (
    <span className="download">
      <Button
        label={label}
        icon="download"
        kind="bare"
        disabledReason={running ? null : t("packets.downloadStopped")}
        onPress={() => void download()}
      />
    </span>
  );
}
