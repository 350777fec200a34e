import { useStore } from "zustand";
import { whyNoTerminal } from "../actions/terminal";
import type { Evidence, Verdict } from "../api/traces";
import { useEditor, useFacts } from "../app/editor";
import { Button } from "../ui/Button";
import { Icon, type IconName } from "../ui/Icon";
import { headlineOf } from "./headline";
import { usePackets, useStory, useStoryModel } from "./hooks";
import { RemedyCard } from "./RemedyCard";
import { useNames, useSentence, useWords } from "./words";

/** The verdict: what happened, who says so, how to see it, what would help. */
export function StoryVerdict() {
  const { t } = useWords();
  const model = useStoryModel();
  useStore(model.state);
  usePackets(); // the verdict may come with them
  const { phase, failure, foretold, traces, picked, exchange } = model.state.getState();
  const seen = picked !== null && traces.has(picked);
  const none = !seen ? "nothingSeen" : exchange?.state === "open" ? "open" : "noVerdict";
  const { verdict } = model;
  return (
    <section className="story-verdict" aria-label={t("story.verdict")}>
      {phase === "failed" && <Failure failure={failure} />}
      {verdict && <Judged verdict={verdict} />}
      {!verdict && (phase === "asking" || phase === "armed") && <Waiting foretold={foretold} />}
      {!verdict && phase === "over" && <p className="story-wait dim">{t(`story.${none}`)}</p>}
    </section>
  );
}

function Failure({ failure }: { failure: string }) {
  const { t } = useWords();
  const known = ["gone", "away", "not_found"].includes(failure);
  return (
    <p className="story-wait" role="alert">
      {known ? t(`story.failure.${failure}`) : t("story.failure.other", { message: failure })}
    </p>
  );
}

function Waiting({ foretold }: { foretold: Verdict | null }) {
  const { t } = useWords();
  const say = useSentence();
  return (
    <>
      <p className="story-wait" role="status">
        {t(foretold ? "story.watching" : "story.asking")}
      </p>
      {foretold && (
        <div className="story-foretold">
          <h3>{t("story.foretold")}</h3>
          <p>{say(foretold.text)}</p>
        </div>
      )}
    </>
  );
}

const SIGN: Record<Verdict["kind"], [tone: string, sign: string]> = {
  delivered: ["ok", "✓"],
  fault: ["bad", "✕"],
  expected: ["pend", "■"],
  noise: ["pend", "■"],
  unknown: ["warn", "?"],
};

function Judged({ verdict }: { verdict: Verdict }) {
  const { t } = useWords();
  const say = useSentence();
  const [tone, sign] = SIGN[verdict.kind];
  const exchange = useStory((state) => state.exchange);
  const { evidence, remedy } = verdict;
  return (
    <>
      <header className={`story-said ${tone}`}>
        <div className="story-kind">
          <span className={`story-sign ${tone}`} aria-hidden="true">
            {sign}
          </span>
          <b>{t(`story.headline.${headlineOf(verdict, exchange)}`)}</b>
          {evidence.length > 0 && (
            <span className="chip">{t("story.witnesses", { count: evidence.length })}</span>
          )}
        </div>
        <p role="status">{say(verdict.text)}</p>
      </header>
      {remedy && <RemedyCard key={`${verdict.packet} ${remedy.code}`} remedy={remedy} />}
      {evidence.length > 0 && (
        <section className="story-section">
          <h3>{t("story.evidence")}</h3>
          <ul className="story-evidence">
            {evidence.map((one) => (
              <Witness key={`${one.witness} ${one.code}`} evidence={one} node={verdict.node} />
            ))}
          </ul>
          {verdict.reason !== "" && (
            <p className="mono dim story-raw">
              {verdict.reason}
              {verdict.symbol && ` @ ${verdict.symbol}`}
            </p>
          )}
        </section>
      )}
      <SeeYourself verdict={verdict} />
    </>
  );
}

const WITNESS: Record<Evidence["witness"], IconName> = {
  hops: "trace",
  reason: "note",
  state: "service",
  rule: "plan",
  counters: "plus",
};

function Witness({ evidence, node }: { evidence: Evidence; node: string }) {
  const { t } = useWords();
  const say = useSentence();
  const nameOf = useNames();
  return (
    <li>
      <Icon name={WITNESS[evidence.witness]} />
      <b>{t(`story.witness.${evidence.witness}`, { name: nameOf(node) })}</b>
      <p>{say(evidence.text)}</p>
    </li>
  );
}

/** The commands that show the same in a terminal. */
function SeeYourself({ verdict }: { verdict: Verdict }) {
  const { t } = useWords();
  const nameOf = useNames();
  const shown = verdict.evidence.filter(({ command }) => command !== "");
  if (shown.length === 0) return null;
  const name = nameOf(verdict.node);
  return (
    <section className="story-section">
      <h3>
        {t("story.yourself")}
        <OpenTerminal node={verdict.node} />
      </h3>
      <div className="story-terminal">
        {shown.map(({ command, output }) => (
          <pre key={command}>
            <b>{name}#</b> {command}
            {output && `\n${output}`}
          </pre>
        ))}
      </div>
    </section>
  );
}

export function OpenTerminal({ node }: { node: string }) {
  const { t } = useWords();
  const editor = useEditor();
  const nameOf = useNames();
  useFacts(({ status }) => status);
  const reason = whyNoTerminal(editor, node);
  if (!(node in editor.topology.nodes) || editor.session.readOnly) return null;
  return (
    <Button
      label={t("story.openIn", { name: nameOf(node) })}
      icon="terminal"
      small
      disabledReason={reason && t(reason)}
      onPress={() => editor.terminals.open(node)}
    >
      {t("story.openIn", { name: nameOf(node) })}
    </Button>
  );
}
