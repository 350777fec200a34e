import { useTranslation } from "react-i18next";
import { useEditor, useLive, useTopology } from "../../app/editor";
import { indexOf } from "../../doc/graph";
import { isLearnedRoute, type LearnedAddress, learnedAddresses } from "../../doc/learned";
import { type Drift, formatRate, type LiveInterface, type LiveNode } from "../../doc/live";
import { Button } from "../../ui/Button";
import { LiveTable } from "./LiveTable";
import { NodeHead } from "./NodeHead";
import { Sparkline } from "./Sparkline";

/** Devices that every node of a kind has without being drawn. */
const IMPLIED: ReadonlySet<string> = new Set(["loopback", "bridge"]);

/** What the kernel holds for a node. */
export function LiveTab({ node }: { node: string }) {
  const { t } = useTranslation();
  const topology = useTopology();
  const live = useLive();
  const now = live.node(node);
  if (!live.running) return <p className="dim empty">{t("inspector.notRunning")}</p>;
  if (!now?.present) return <p className="dim empty">{t("inspector.planned")}</p>;
  return (
    <>
      <div className="sec">
        <NodeHead id={node} />
        {live.stale && <p className="warn-text">{t("inspector.stale")}</p>}
      </div>
      {now.drift.map((drift) => (
        <DriftCard key={drift.path} node={node} drift={drift} />
      ))}
      <Traffic node={node} />
      <LiveInterfaces now={now} learned={learnedAddresses(topology, node, now)} />
      <LiveTable
        title={t("inspector.routes")}
        head={[t("fields.destination"), t("fields.via"), t("fields.device"), t("fields.proto")]}
        rows={now.routes.map((route) => [
          route.prefix,
          route.via ?? "–",
          route.device ?? "–",
          isLearnedRoute(route) ? `◆ ${route.proto}` : route.proto,
        ])}
        {...(now.routes.some(isLearnedRoute) ? { note: t("services.learnedMark") } : {})}
      />
      <LiveTable
        title={t("inspector.neighbours")}
        head={[t("fields.address"), "MAC", t("fields.device"), t("fields.state")]}
        rows={now.neighbours.map((one) => [one.address, one.mac ?? "–", one.device, one.state])}
      />
      {now.fdb.length > 0 && (
        <LiveTable
          title={t("inspector.fdb")}
          head={["MAC", t("fields.port"), t("fields.age")]}
          rows={now.fdb.map((one) => [one.mac, one.port, one.age === null ? "–" : `${one.age} s`])}
        />
      )}
    </>
  );
}

function Traffic({ node }: { node: string }) {
  const { t } = useTranslation();
  const topology = useTopology();
  const live = useLive();
  const index = indexOf(topology);
  const ports = index.interfacesOf.get(node) ?? [];
  const links = ports.flatMap((port) => index.linksAt.get(port) ?? []);
  const busiest = links
    .map((id) => ({ id, now: live.link(id) }))
    .sort((a, b) => sum(b.now) - sum(a.now))[0];
  if (!busiest?.now) return null;
  const link = topology.links[busiest.id];
  const port = ports.find((id) => id === link?.a || id === link?.b);
  const name = topology.interfaces[port ?? ""]?.name ?? "";
  return (
    <div className="sec">
      <h3>{t("inspector.busiest", { name })}</h3>
      <Sparkline samples={live.history(busiest.id)} label={t("inspector.traffic")} />
      <p className="legend-line">
        <span className="ab">━ {formatRate(busiest.now.rate_ab) || "0 b/s"}</span>
        <span className="ba">┅ {formatRate(busiest.now.rate_ba) || "0 b/s"}</span>
      </p>
    </div>
  );
}

function sum(now: { rate_ab: number; rate_ba: number } | undefined): number {
  return now ? now.rate_ab + now.rate_ba : -1;
}

function LiveInterfaces({ now, learned }: { now: LiveNode; learned: LearnedAddress[] }) {
  const { t } = useTranslation();
  return (
    <div className="sec">
      <h3>{t("inspector.interfaces")}</h3>
      {Object.entries(now.interfaces).map(([name, port]) => (
        <LivePort
          key={name}
          name={name}
          port={port}
          learned={learned.filter((one) => one.port === name)}
        />
      ))}
    </div>
  );
}

interface LivePortProps {
  name: string;
  port: LiveInterface;
  learned: LearnedAddress[];
}

function LivePort({ name, port, learned }: LivePortProps) {
  const { t } = useTranslation();
  const marked = new Set(learned.map(({ address }) => address));
  const plain = port.addresses.filter((address) => !marked.has(address));
  return (
    <div className="live-port">
      <b>{name}</b>
      <span className={`state-word ${port.state}`}>{t(`state.${port.state}`)}</span>
      {port.stp && <span className="chip">STP {port.stp}</span>}
      {port.id === null && !IMPLIED.has(port.kind) && (
        <span className="chip">{t("inspector.unknownPort")}</span>
      )}
      {learned.map(({ address, origin }) => (
        <span key={address} className="chip mono">
          ◆ {address} {t(`services.origin.${origin}`)}
        </span>
      ))}
      <span className="mono dim">
        {[...plain, port.mac ?? "", `mtu ${port.mtu}`].filter(Boolean).join(" · ")}
      </span>
    </div>
  );
}

/** The kernel differs from the drawing: keep that, or put the drawing back. */
function DriftCard({ node, drift }: { node: string; drift: Drift }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const { nodes } = useTopology();
  const settle = (action: "keep" | "restore") => {
    void editor.session.drift(node, drift.path, action);
    editor.announce(action === "keep" ? "say.kept" : "say.restored");
  };
  return (
    <section className="drift-card" aria-label={t("inspector.drift")}>
      <h3>
        ≠ {t("inspector.drift")} · {nodes[node]?.name}
      </h3>
      <p className="mono">
        {drift.path.split("/").slice(1).join(" ") || drift.path}{" "}
        <span className="dim">{t("inspector.drawn")}</span> {shown(drift.drawn)} →{" "}
        <span className="dim">{t("inspector.actual")}</span> <b>{shown(drift.actual)}</b>
      </p>
      {!editor.session.readOnly && (
        <div className="actions">
          <Button label={t("inspector.keep")} small onPress={() => settle("keep")}>
            {t("inspector.keep")}
          </Button>
          <Button label={t("inspector.restore")} small onPress={() => settle("restore")}>
            {t("inspector.restore")}
          </Button>
        </div>
      )}
    </section>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
