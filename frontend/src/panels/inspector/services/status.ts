/** How a service fares, as a word and a tone. */

import type { LiveService, LiveView, ServiceState } from "../../../doc/live";
import type { TopoService } from "../../../doc/services";
import type { RowFace } from "../../outline/OutlineRow";

export const STATE_TONE: Record<ServiceState, RowFace["tone"]> = {
  starting: "pend",
  running: "ok",
  failed: "bad",
  ended: "warn",
  stopped: "off",
};

/** The i18n key of a service's state: as drawn while the lab does not run. */
export function serviceStateKey(
  service: TopoService,
  now: LiveService | undefined,
  live: LiveView,
): string {
  if (!service.up) return "services.state.off";
  if (!live.running) return "services.state.drawn";
  return now ? `services.state.${now.state}` : "services.state.waiting";
}

export function serviceTone(
  service: TopoService,
  now: LiveService | undefined,
  live: LiveView,
): RowFace["tone"] {
  if (!service.up || !live.running) return "off";
  return now ? STATE_TONE[now.state] : "pend";
}
