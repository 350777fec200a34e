import { useEffect, useId, useRef, useState } from "react";
import { ToggleButton } from "react-aria-components";
import { useStore } from "zustand";
import type { Step } from "../api/traces";
import { TabList, TabPanel } from "../ui/Tabs";
import { compare, type Deed } from "./compare";
import { headerRows } from "./headers";
import { useStory, useStoryModel } from "./hooks";
import { directionOf, formatSpan, type Station } from "./journey";
import { paired } from "./mended";
import { NodeTables } from "./NodeTables";
import { useNames, useSentence, useWords } from "./words";

/** What changed at each hop, and the dry run beside what was seen. */
export function StoryTables() {
  const model = useStoryModel();
  useStore(model.state);
  const { stations, steps } = model.state.getState();
  return (
    <div className="story-tables">
      <Hops stations={stations} />
      {model.ofRun && <DryRun steps={steps} />}
    </div>
  );
}

/** What the hops found in the packet, or what the node had in its tables when it came. */
function Hops({ stations }: { stations: readonly Station[] }) {
  const { t } = useWords();
  const nameOf = useNames();
  const id = useId();
  const [tab, setTab] = useState<"headers" | "tables">("headers");
  const current = useStory(({ stations: all, at }) => all[at]);
  const tables = t("story.tablesOf", { name: nameOf(current?.hop.node ?? "") });
  return (
    <section className="story-pane" aria-label={tab === "headers" ? t("story.changed") : tables}>
      <TabList
        id={id}
        label={t("story.about")}
        tabs={[
          ["headers", t("story.changed")],
          ["tables", tables],
        ]}
        selected={tab}
        onSelect={setTab}
      />
      <TabPanel id={id} selected={tab}>
        {tab === "headers" ? <Headers stations={stations} /> : <NodeTables station={current} />}
      </TabPanel>
    </section>
  );
}

function Headers({ stations }: { stations: readonly Station[] }) {
  const { t, i18n } = useWords();
  const model = useStoryModel();
  const nameOf = useNames();
  const at = useStory((state) => state.at);
  const [all, setAll] = useState(false);
  const rows = headerRows(stations, all);
  const more = useStory(({ traces }) =>
    [...new Set(stations.map(({ packet }) => packet))].reduce(
      (sum, packet) => sum + (traces.get(packet)?.more ?? 0),
      0,
    ),
  );
  const changes = rows.reduce((sum, { changed }) => sum + changed.filter(Boolean).length, 0);
  const named = (protocol: string, label: string) =>
    label === "" ? protocol : `${protocol} ${i18n.t(label, { ns: "fields", defaultValue: label })}`;
  return (
    <div className="story-headers">
      <header className="story-head">
        <span className="chip story-delta">Δ {t("story.changes", { count: changes })}</span>
        {more > 0 && <span className="chip">{t("story.more", { count: more })}</span>}
        <ToggleButton className="chip" isSelected={all} onChange={setAll}>
          {t("story.allFields")}
        </ToggleButton>
      </header>
      {stations.length === 0 ? (
        <p className="story-none dim">{t("story.noHops")}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys
        <div className="story-scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("story.field")}</th>
                {stations.map((station, index) => (
                  <Head
                    key={station.number}
                    station={station}
                    current={index === at}
                    onPick={() => model.go(index)}
                  />
                ))}
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">{t("story.node")}</th>
                {stations.map(({ number, hop }, index) => (
                  <td key={number} className={index === at ? "current" : undefined}>
                    {nameOf(hop.node)}
                  </td>
                ))}
              </tr>
              {rows.map(({ key, protocol, label, values, changed }) => (
                <tr key={key}>
                  <th scope="row">{named(protocol, label)}</th>
                  {stations.map(({ number }, index) => (
                    <td key={number} className={index === at ? "mono current" : "mono"}>
                      {changed[index] ? (
                        <mark>
                          <span aria-hidden="true">Δ </span>
                          <span className="hidden-text">{t("story.new")} </span>
                          {values[index]}
                        </mark>
                      ) : (
                        (values[index] ?? "–")
                      )}
                    </td>
                  ))}
                </tr>
              ))}
              <Ties stations={stations} at={at} />
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

interface HeadProps {
  station: Station;
  current: boolean;
  onPick: () => void;
}

function Head({ station, current, onPick }: HeadProps) {
  const { t } = useWords();
  const { hop, number, at } = station;
  const direction = directionOf(station, useStoryModel().verdict);
  const head = useRef<HTMLTableCellElement>(null);
  useEffect(() => {
    if (current) head.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  return (
    <th ref={head} scope="col" className={current ? "current" : undefined}>
      <button type="button" aria-current={current ? "step" : undefined} onClick={onPick}>
        <span className={direction === "drop" ? "story-number drop" : "story-number"}>
          {number}
        </span>
        {hop.interface || "–"} {t(`story.direction.${direction}`)}
        <span className="mono dim">{formatSpan(at)}</span>
      </button>
    </th>
  );
}

/** How each station is known to be the same packet, and what else the kernel said there. */
function Ties({ stations, at }: { stations: readonly Station[]; at: number }) {
  const { t } = useWords();
  return (
    <tr>
      <th scope="row">{t("story.how.title")}</th>
      {stations.map(({ number, hop }, index) => (
        <td key={number} className={index === at ? "current dim" : "dim"}>
          {hop.direction === "drop" && hop.reason
            ? `${hop.reason}${hop.symbol && ` @ ${hop.symbol}`}`
            : t(`story.how.${hop.how}`)}
          {hop.segments > 1 && ` · ${t("story.segments", { count: hop.segments })}`}
        </td>
      ))}
    </tr>
  );
}

function DryRun({ steps }: { steps: readonly Step[] }) {
  const { t } = useWords();
  const model = useStoryModel();
  const { stations, differs, agree } = model.state.getState();
  const over = agree !== null;
  const { mended } = model;
  return (
    <section className="story-pane" aria-label={t("story.versus")}>
      <header className="story-head">
        <h2>{t("story.versus")}</h2>
        {over && (
          <span className={agree ? "chip story-agree" : "chip story-differ"}>
            {agree
              ? `✓ ${t("story.agree")}`
              : `✕ ${t("story.differ", { number: (differs ?? 0) + 1 })}`}
          </span>
        )}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys */}
      <div className="story-scroll" tabIndex={0}>
        <table className="story-steps">
          <thead>
            <tr>
              <th scope="col">{t("story.step")}</th>
              <th scope="col">{t("story.shown.dry")}</th>
              <th scope="col">{t("story.shown.seen")}</th>
              {mended && (
                <th scope="col" className="story-with">
                  + {t("story.withRemedy")}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {paired(compare(steps, stations, model.verdict, model.askers), mended).map(
              ({ key, deed, mended: after }) => (
                <DeedRow
                  key={key}
                  deed={deed}
                  after={after}
                  withRemedy={mended !== null}
                  over={over}
                  differs={
                    differs !== null &&
                    deed !== null &&
                    deed.first <= differs &&
                    differs <= deed.last
                  }
                />
              ),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface DeedProps {
  deed: Deed | null; // null: only with the remedy
  after: Step | null; // with the remedy
  withRemedy: boolean;
  over: boolean;
  differs: boolean;
}

function DeedRow({ deed, after, withRemedy, over, differs }: DeedProps) {
  const { t } = useWords();
  const nameOf = useNames();
  const step = deed?.step ?? after;
  if (!step) return null;
  return (
    <tr className={differs ? "differs" : undefined}>
      <th scope="row">{t(`story.action.${step.action}`, { name: nameOf(step.node) })}</th>
      <StepCell step={deed?.step ?? null} />
      {deed ? <SeenCell deed={deed} over={over} /> : <td className="dim">–</td>}
      {withRemedy && <StepCell step={after} needless={deed?.step.action === "resolve"} />}
    </tr>
  );
}

/** How a dry run says it goes. */
function StepCell({ step, needless }: { step: Step | null; needless?: boolean }) {
  const { t } = useWords();
  const say = useSentence();
  if (!step) return <td className="dim">– {t(needless ? "story.known" : "story.notReached")}</td>;
  const drop = step.action === "drop";
  return (
    <td className={drop ? "bad" : "ok"}>
      {drop ? "✕" : "✓"} {say(step.text)}
    </td>
  );
}

/** Whether that was seen, and at which stations. */
function SeenCell({ deed, over }: { deed: Deed; over: boolean }) {
  const { t } = useWords();
  const { step, stations, seen } = deed;
  const drop = step.action === "drop";
  const word = seen ? (drop ? "endsHere" : "wasSeen") : over ? "notSeen" : "notYet";
  return (
    <td className={seen ? (drop ? "bad" : "ok") : "dim"}>
      {seen ? (drop ? "✕" : "✓") : over ? "–" : "…"} {t(`story.${word}`)}
      {stations.map((number) => (
        <span key={number} className="story-number">
          {number}
        </span>
      ))}
    </td>
  );
}
