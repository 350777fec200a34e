import "./decode.css";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { useFacts, useLab, useTopology } from "../../app/editor";
import { serverText } from "../../app/serverText";
import { ApiError } from "../../net/api";
import type { PacketRow } from "../../packets/index";
import { ActionButton } from "../../ui/ActionButton";
import { Button } from "../../ui/Button";
import type { DecodedPacket } from "./details";
import type { DockModel } from "./dockModel";
import { FieldTree } from "./FieldTree";
import { ancestors, type FieldRow, fieldRows, type Toggled } from "./fieldRows";
import type { FilterSubject } from "./filterSubject";
import { HexView } from "./HexView";
import { bytesOf, fieldAt } from "./hexMap";
import { type Differences, differences, hopsOf } from "./hops";
import { linkName } from "./linkName";

const TsharkPane = lazy(() =>
  import("../../filter/TsharkPane").then((module) => ({ default: module.TsharkPane })),
);
const NONE: Differences = new Map();
const SETTLE = 80; // ms: held-down arrows do not ask for every packet on the way

interface Props {
  dock: DockModel;
  treeRef: React.Ref<HTMLDivElement>;
  onMenu: (subject: FilterSubject) => void;
}

/** The picked packet: where it came along, its fields, its bytes. */
export function DecodePane({ dock, treeRef, onMenu }: Props) {
  const { t } = useTranslation();
  const row = useStore(dock.state, (state) => state.picked);
  const [full, setFull] = useState(false);
  return (
    <section className="decode" aria-label={t("decode.title")}>
      <header className="decode-head">
        <h2>{t("decode.title")}</h2>
        {row && (
          <span className="mono dim">
            #{row.number} · {row.length} B
          </span>
        )}
        {row && <HopTrail dock={dock} row={row} />}
        {row && <FullButton full={full} onFull={setFull} />}
        {row && <ActionButton id="follow" kind="bare" />}
      </header>
      {row && full ? (
        <Suspense>
          <TsharkPane dock={dock} number={row.number} />
        </Suspense>
      ) : row ? (
        <Decoded dock={dock} row={row} treeRef={treeRef} onMenu={onMenu} />
      ) : (
        <p className="decode-hint dim">{t("decode.hint")}</p>
      )}
    </section>
  );
}

/** Wireshark's own dissection instead of ours, where the server has it. */
function FullButton({ full, onFull }: { full: boolean; onFull: (full: boolean) => void }) {
  const { t } = useTranslation();
  const feature = useFacts(({ features }) => features.tshark);
  if (!feature) return null;
  return (
    <Button
      label={t("decode.full")}
      small
      pressed={full}
      disabledReason={feature.ok ? null : feature.reason}
      onPress={() => onFull(!full)}
    >
      {t("decode.full")}
    </Button>
  );
}

/** The cables that the packet was seen at, in order; each leads to its row. */
function HopTrail({ dock, row }: { dock: DockModel; row: PacketRow }) {
  const { t } = useTranslation();
  const { store } = useLab().packets;
  const topology = useTopology();
  const { hops, at } = hopsOf(row, store.byPacket(row.packet));
  if (hops.length < 2) return null;
  return (
    <nav className="hops" aria-label={t("decode.hops")}>
      <ol>
        {hops.map((hop, index) => (
          <li key={hop.number}>
            <button
              type="button"
              className="hop"
              aria-current={index === at ? "step" : undefined}
              onClick={() => {
                dock.state.setState({ follow: false });
                dock.pick(hop);
              }}
            >
              {linkName(hop, topology)}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface Answer {
  number: number;
  packet: DecodedPacket | null;
  changed: Differences;
  error: ApiError | null;
}

function useDecoded(
  dock: DockModel,
  row: PacketRow,
): { answer: Answer | null; hop: PacketRow | null } {
  const { store } = useLab().packets;
  const [answer, setAnswer] = useState<Answer | null>(null);
  const { previous } = hopsOf(row, store.byPacket(row.packet));
  const before = previous?.number ?? null;
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const [packet, old] = await Promise.all([
        dock.details.get(row.number),
        before === null ? null : dock.details.get(before).catch(() => null),
      ]);
      if (gone) return;
      const changed = old ? differences(packet.layers, old.layers) : NONE;
      setAnswer({ number: row.number, packet, changed, error: null });
    };
    const timer = setTimeout(() => {
      load().catch((reason: unknown) => {
        const error = reason instanceof ApiError ? reason : new ApiError(0, String(reason));
        if (!gone) setAnswer({ number: row.number, packet: null, changed: NONE, error });
      });
    }, SETTLE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [dock, row.number, before]);
  return { answer, hop: previous };
}

function Decoded({ dock, row, treeRef, onMenu }: Props & { row: PacketRow }) {
  const { t } = useTranslation();
  const topology = useTopology();
  const { answer, hop } = useDecoded(dock, row);
  const [toggled, setToggled] = useState<Toggled>(new Map());
  const [active, setActive] = useState<string | null>(null);
  const [hovered, setHovered] = useState<FieldRow | null>(null);
  const packet = answer?.packet ?? null;
  const bytes = useMemo(() => bytesOf(packet?.hex ?? ""), [packet]);
  const rows = useMemo(
    () => (packet ? fieldRows(packet.layers, toggled, answer?.changed ?? NONE) : []),
    [packet, toggled, answer],
  );
  const open = useCallback((key: string, value: boolean) => {
    setToggled((now) => new Map(now).set(key, value));
  }, []);
  const reveal = (at: number) => {
    const key = packet && fieldAt(packet.layers, at);
    if (!key) return;
    setToggled((now) => new Map([...now, ...ancestors(key).map((one) => [one, true] as const)]));
    setActive(key);
  };
  if (answer?.error && answer.number === row.number) {
    return (
      <p className="decode-hint dim" role="alert">
        {answer.error.status === 404 ? t("decode.gone") : serverText(answer.error.said, t).message}
      </p>
    );
  }
  if (!packet) return <output className="decode-hint dim">{t("app.loading")}</output>;
  const selected = rows.find((one) => one.key === active) ?? null;
  return (
    <div className="decode-body" aria-busy={answer?.number !== row.number}>
      <FieldTree
        rows={rows}
        active={active}
        hop={hop ? linkName(hop, topology) : ""}
        treeRef={treeRef}
        onActive={setActive}
        onOpen={open}
        onHover={setHovered}
        onMenu={({ value, filter }, x, y) => onMenu({ kind: "field", row, value, filter, x, y })}
      />
      <HexView bytes={bytes} selected={selected} hovered={hovered} onByte={reveal} />
    </div>
  );
}
