/** What each node on the way asked its routes, and the answer of that moment. */

import type { HopTables } from "../api/tables";
import type { Station } from "./journey";
import type { StoryModel } from "./model";
import { addressesOf, isOwn, routeTo } from "./moment";

export interface Lookup {
  node: string;
  asked: string; // address
  answering: boolean; // it is the packet's target, and asks for the way back
  route: string | null; // prefix and how it goes on; null: there is none
  others: readonly string[]; // routes that do not lead there
}

const MOST = 6; // nodes that are asked
const OTHERS = 2;
const SETTLE = 400; // ms: while a packet is on its way, its stations come one by one

/** null: the node has no routes, or nothing is known of them. */
export function lookupOf(station: Station, { as_of, tables }: HopTables): Lookup | null {
  const addresses = addressesOf(station);
  const routes = tables.routes.filter(({ change }) => change !== "new");
  if (!addresses || as_of <= 0 || routes.length === 0) return null;
  const answering = isOwn(addresses.destination, tables.addresses);
  const asked = answering ? addresses.source : addresses.destination;
  const used = routeTo(asked, routes);
  const told = (row: (typeof routes)[number]) =>
    `${row.prefix} ${row.via ? `via ${row.via}` : `dev ${row.interface}`}`;
  const others = routes.filter((row) => row !== used && !String(row.prefix).includes(":"));
  return {
    node: station.hop.node,
    asked,
    answering,
    route: used && told(used),
    others: others.slice(0, OTHERS).map(told),
  };
}

/** The lookups of the story that is open; asked for when its way is known. */
export class Lookups {
  private known: readonly Lookup[] = [];
  private of: readonly Station[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: StoryModel) {}

  /** Those of the stations that are shown now. */
  get list(): readonly Lookup[] {
    const { stations } = this.model.state.getState();
    if (stations !== this.of) {
      this.of = stations;
      this.known = [];
      clearTimeout(this.timer);
      // A recording may have been made without tables; they are asked for one by one there.
      if (stations.length > 0 && !this.model.editor.session.readOnly)
        this.timer = setTimeout(() => void this.ask(stations), SETTLE);
    }
    return this.known;
  }

  private async ask(stations: readonly Station[]): Promise<void> {
    const { traces } = this.model.state.getState();
    const first = new Map<string, Station>();
    for (const station of stations) {
      if (station.leg === "there" && !first.has(station.hop.node)) {
        first.set(station.hop.node, station);
      }
    }
    const found = await Promise.all(
      [...first.values()].slice(0, MOST).map(async (station) => {
        const hop = traces.get(station.packet)?.hops.indexOf(station.hop) ?? -1;
        if (hop < 0) return null;
        const { api } = this.model.editor.session;
        const tables = await api.tables(station.packet, hop).catch(() => null);
        return tables && lookupOf(station, tables);
      }),
    );
    if (this.of !== stations) return;
    this.known = found.filter((one) => one !== null);
    this.model.editor.scene?.repaint();
  }
}
