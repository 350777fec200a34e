/** A probe as one line at its source. */

import type { Probe } from "../../api/types";
import type { Editor } from "../../app/editor";
import type { SceneCallout } from "../../scene/contract";

const GOOD = new Set(["reply", "connected"]);
/** Verdicts whose reason is what the network or the kernel itself said: quoted as it is. */
const QUOTED = new Set(["unreachable", "error"]);

function targetName(probe: Probe, editor: Editor): string {
  return editor.topology.nodes[probe.target]?.name ?? probe.target;
}

/** "h2 answers: 3/3, ttl 63, 0.3 ms" or what went wrong, in the user's language. */
export function probeText(probe: Probe, editor: Editor): string {
  const { t } = editor;
  const target = targetName(probe, editor);
  if (probe.status === "waiting" || probe.status === "running") {
    return t(`probe.running.${probe.kind}`, { target });
  }
  const { result } = probe;
  if (!result) return t("probe.verdict.error", { target });
  const times = result.rtt_ms ?? [];
  const mean = times.reduce((sum, one) => sum + one, 0) / (times.length || 1);
  const verdict =
    probe.kind === "traceroute" && result.verdict === "reply" ? "traced" : result.verdict;
  const text = t(`probe.verdict.${verdict}`, {
    target,
    port: probe.port,
    ttl: result.ttl ?? "–",
    ms: mean < 10 ? mean.toFixed(2) : mean.toFixed(0),
    sent: result.sent ?? 0,
    received: result.received ?? 0,
    count: result.hops?.length ?? 0,
  });
  const says = QUOTED.has(result.verdict) && result.message ? ` — ${result.message}` : "";
  return text + says;
}

export function calloutOf(probe: Probe, editor: Editor): SceneCallout {
  const over = probe.status === "done" || probe.status === "failed";
  const good = GOOD.has(probe.result?.verdict ?? "");
  return {
    id: `probe${probe.id}`,
    node: probe.source,
    text: probeText(probe, editor),
    tone: !over ? "info" : good ? "ok" : "bad",
  };
}
