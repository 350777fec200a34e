import type { RecordingInfo } from "../api/recordings";
import { useTopology, useUi } from "../app/editor";
import { formatElapsed } from "../panels/dock/time";
import { LiveTab } from "../panels/inspector/LiveTab";
import { formatDate } from "./format";
import { useWords } from "./words";

/** What the kernel held for the chosen node at the moment that is shown; else about the recording. */
export function NodeThen({ info }: { info: RecordingInfo }) {
  const { t } = useWords();
  const { nodes } = useTopology();
  const node = useUi(({ selection }) => [...selection].find((id) => id in nodes) ?? null);
  return (
    <section className="inspector replay-then" aria-label={t("replay.then")}>
      {node === null ? <About info={info} /> : <LiveTab node={node} />}
    </section>
  );
}

function About({ info }: { info: RecordingInfo }) {
  const { t, i18n } = useWords();
  const { began, ended, packets, faults, tier } = info;
  const facts = [
    ["began", formatDate(began, i18n.language)],
    ["length", formatElapsed(ended - began)],
    ["packets", packets.toLocaleString(i18n.language)],
    ["faults", faults.toLocaleString(i18n.language)],
    ["tier", t(`packets.tier.${tier}`, { defaultValue: tier })],
  ] as const;
  return (
    <div className="sec">
      <h2>{t("replay.about")}</h2>
      <dl className="replay-facts">
        {facts.map(([key, value]) => (
          <div key={key}>
            <dt>{t(`replay.fact.${key}`)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="dim">{t("replay.chooseNode")}</p>
      <p className="dim">{t("replay.keys")}</p>
    </div>
  );
}
