import { useTranslation } from "react-i18next";
import type { FrrState } from "../../../api/types";
import { useLab } from "../../../app/editor";
import { serverText } from "../../../app/serverText";
import { usePolled } from "../../../app/usePolled";
import { LiveTable } from "../LiveTable";

const PERIOD = 2_000; // ms

/** What FRR has found out: its neighbours and the routes that it learned. */
export function FrrLive({ node }: { node: string }) {
  const { t } = useTranslation();
  const { api } = useLab();
  const { value, error } = usePolled(node, () => api.frr(node), PERIOD);
  return (
    <section className="frr-live" aria-label={t("services.frrLive")}>
      {error && <p className="warn-text sec">{serverText(error.said, t).message}</p>}
      {value === null && !error && <p className="dim sec">{t("app.loading")}</p>}
      {value && <Tables state={value} />}
    </section>
  );
}

function Tables({ state }: { state: FrrState }) {
  const { t } = useTranslation();
  const learned = state.routes.filter(({ protocol }) => !LOCAL.has(protocol));
  return (
    <>
      <p className="dim small sec">{t("services.daemons", { names: state.daemons.join(", ") })}</p>
      <LiveTable
        title={t("services.neighbours")}
        head={[t("fields.address"), t("fields.state"), t("fields.proto")]}
        rows={state.neighbours.map((one) => [
          one.address,
          one.state,
          [one.protocol, one.interface].filter(Boolean).join(" "),
        ])}
      />
      <LiveTable
        title={t("services.learnedRoutes")}
        head={[t("fields.destination"), t("fields.via"), t("fields.device"), t("fields.proto")]}
        rows={learned.map((route) => [
          route.prefix,
          route.via ?? "–",
          route.device ?? "–",
          route.selected ? route.protocol : `(${route.protocol})`,
        ])}
      />
    </>
  );
}

/** Routes that FRR reads from the kernel: nobody told it. */
const LOCAL: ReadonlySet<string> = new Set(["connected", "local", "kernel"]);
