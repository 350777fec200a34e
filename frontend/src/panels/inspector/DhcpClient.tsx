import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { useDrawn, useEditor, useLivePart } from "../../app/editor";
import { serverLine } from "../../app/serverText";
import { learnedAddresses } from "../../doc/learned";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/fields";
import { StateWord } from "./services/StateWord";
import { STATE_TONE } from "./services/status";

const LogDialog = lazy(() =>
  import("./services/LogDialog").then((module) => ({ default: module.LogDialog })),
);

/** The addresses that a protocol brought to an interface, and how its DHCP client fares. */
export function Learned({ port: id }: { port: string }) {
  const { t } = useTranslation();
  const { topology } = useEditor();
  const port = useDrawn((drawing) => drawing.interfaces[id]);
  const now = useLivePart((live) => live.node(port?.node ?? ""));
  const running = useLivePart((live) => live.running);
  if (!port) return null;
  const learned = now
    ? learnedAddresses(topology, port.node, now).filter((one) => one.port === port.name)
    : [];
  if (learned.length === 0 && !port.dhcp) return null;
  const leased = learned.some(({ origin }) => origin === "dhcp");
  return (
    <Row label={t("services.learned")}>
      <div className="learned">
        {learned.map(({ address, origin }) => (
          <span key={address} className="chip mono">
            ◆ {address} {t(`services.origin.${origin}`)}
          </span>
        ))}
        {port.dhcp && !leased && (
          <span className="dim small">
            {t(running ? "services.noLease" : "services.leaseWhenRunning")}
          </span>
        )}
        {port.dhcp && running && <Client port={id} node={port.node} />}
      </div>
    </Row>
  );
}

/** The DHCP client of an interface: a service that nobody has to draw. */
function Client({ port, node }: { port: string; node: string }) {
  const { t } = useTranslation();
  const [log, setLog] = useState(false);
  const service = `dhcp:${port}`;
  const now = useLivePart((live) => live.node(node)?.services?.[service]);
  const name = t("services.dhcpClient");
  return (
    <>
      {now && now.state !== "running" && (
        <>
          <StateWord tone={STATE_TONE[now.state]} word={`services.state.${now.state}`} />
          <span className="small">{serverLine(now, t)}</span>
        </>
      )}
      <Button label={t("services.logOf", { name })} icon="plan" small onPress={() => setLog(true)}>
        {t("services.log")}
      </Button>
      {log && (
        <Suspense>
          <LogDialog service={service} name={name} onClose={() => setLog(false)} />
        </Suspense>
      )}
    </>
  );
}
