import { useEffect, useState } from "react";
import type { ConntrackRow, HopTables, TableName, TableRow } from "../api/tables";
import { ApiError } from "../net/api";
import { useStory, useStoryModel } from "./hooks";
import type { Station } from "./journey";
import { addressesOf, isOwn, routeTo } from "./moment";
import { useNames, useWords } from "./words";

const SETTLE = 120; // ms: who steps quickly does not ask for every hop
const ORDER: readonly TableName[] = [
  "routes",
  "neighbours",
  "fdb",
  "addresses",
  "forwarding",
  "interfaces",
];
const CLOCK = { hour12: false } as const; // parts of a second stand behind it
const COLUMNS: Record<TableName, readonly string[]> = {
  routes: ["prefix", "via", "interface", "metric", "protocol"],
  neighbours: ["address", "mac", "interface", "state"],
  fdb: ["mac", "interface"],
  addresses: ["address", "interface"],
  forwarding: ["family", "on"],
  interfaces: ["interface", "up", "carrier", "mac", "mtu", "stp_state"],
};

/** What the node held when the packet was there, and what became of it since. */
export function NodeTables({ station }: { station: Station | undefined }) {
  const { t } = useWords();
  const { tables, failed } = useTables(station);
  if (!station || failed === 404) return <p className="story-none dim">{t("story.noTables")}</p>;
  if (failed !== null) {
    return (
      <p className="story-none dim" role="alert">
        {t("story.tablesAway")}
      </p>
    );
  }
  if (!tables) return <output className="story-none dim">{t("app.loading")}</output>;
  const shown = ORDER.filter((name) => tables.tables[name].length > 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keys
    <div className="story-scroll story-moment" tabIndex={0}>
      <When tables={tables} />
      <Lookup station={station} tables={tables} />
      {shown.length === 0 && <p className="dim">{t("story.noTables")}</p>}
      <div className="story-moment-tables">
        {shown.map((name) => (
          <Table
            key={name}
            name={name}
            rows={tables.tables[name]}
            used={usedRoute(station, tables)}
          />
        ))}
        <Conntrack of={tables.conntrack} />
      </div>
    </div>
  );
}

/** Honest about which moment it is. */
function When({ tables }: { tables: HopTables }) {
  const { t, i18n } = useWords();
  const nameOf = useNames();
  const { node, time, exact, as_of } = tables;
  const at = (seconds: number) =>
    `${new Date(seconds * 1_000).toLocaleTimeString(i18n.language, CLOCK)}.${micros(seconds)}`;
  const name = nameOf(node);
  return (
    <p className="story-when">
      {exact ? t("story.asThen", { name, time: at(time) }) : null}
      {!exact && as_of > 0 ? (
        <b className="warn-text">{t("story.asOf", { name, time: at(as_of) })}</b>
      ) : null}
      {!exact && as_of <= 0 ? t("story.notWatched", { name }) : null}
    </p>
  );
}

function micros(seconds: number): string {
  return String(Math.floor((seconds % 1) * 1e6)).padStart(6, "0");
}

/**
 * The question that a router or host asks its routes, and the answer of that moment. Who is the
 * packet's target asks for the way back.
 */
function Lookup({ station, tables: { tables } }: { station: Station; tables: HopTables }) {
  const { t } = useWords();
  const addresses = addressesOf(station);
  if (!addresses || tables.routes.length === 0) return null;
  const { source, destination } = addresses;
  const own = isOwn(destination, tables.addresses);
  const asked = own ? source : destination;
  const route = routeTo(asked, tables.routes);
  const answer = route
    ? t("story.matches", { address: asked, prefix: String(route.prefix) })
    : t("story.noMatch", { address: asked });
  return (
    <>
      {own && <p className="story-lookup">✓ {t("story.ownAddress", { address: destination })}</p>}
      <p className={route ? "story-lookup" : "story-lookup bad"}>
        {route ? "✓" : "✕"} {own && `${t("story.toAnswer")} `}
        {answer}
      </p>
    </>
  );
}

/** The route that leads on, or, where the packet has arrived, back. */
function usedRoute(station: Station, { tables }: HopTables): TableRow | null {
  const addresses = addressesOf(station);
  if (!addresses) return null;
  const { source, destination } = addresses;
  return routeTo(isOwn(destination, tables.addresses) ? source : destination, tables.routes);
}

interface TableProps {
  name: TableName;
  rows: readonly TableRow[];
  used: TableRow | null; // the route that was taken
}

function Table({ name, rows, used }: TableProps) {
  const { t } = useWords();
  const columns = COLUMNS[name].filter((column) => rows.some((row) => row[column] != null));
  return (
    <table>
      <caption>{t(`story.table.${name}`)}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {t(`story.column.${column}`)}
            </th>
          ))}
          <th scope="col">{t("story.since")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr
            key={`${row.change} ${columns.map((column) => String(row[column])).join(" ")}`}
            className={row === used ? "used" : row.change}
          >
            {columns.map((column) => (
              <td key={column} className="mono">
                {shown(row[column], t)}
              </td>
            ))}
            <td>
              <Since row={row} columns={columns} used={row === used} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function shown(value: unknown, t: (key: string) => string): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return t(value ? "story.yes" : "story.no");
  return String(value);
}

interface SinceProps {
  row: TableRow;
  columns: readonly string[];
  used: boolean;
}

/** What became of a row after the moment. */
function Since({ row, columns, used }: SinceProps) {
  const { t } = useWords();
  const { change, now, near } = row;
  const about = near ? ` (${t("story.near")})` : "";
  const mark = used ? <b className="ok">✓ {t("story.used")} </b> : null;
  if (change === "same") return mark;
  const differs = columns.filter((column) => now && now[column] !== row[column]);
  const news = differs.map((column) => shown(now?.[column], t)).join(" ");
  const sign = { changed: "Δ", gone: "✕", new: "+" }[change];
  return (
    <>
      {mark}
      <span className={`story-change ${change}`}>
        {sign} {t(`story.change.${change}`, { now: news })}
        {about}
      </span>
    </>
  );
}

function Conntrack({ of }: { of: { as_of: number; rows: readonly ConntrackRow[] } }) {
  const { t } = useWords();
  if (of.rows.length === 0) return null;
  const end = (address: string, port: number | null) => (port ? `${address}:${port}` : address);
  return (
    <table>
      <caption>
        {t("story.table.conntrack")} <small className="dim">{t("story.asNow")}</small>
      </caption>
      <thead>
        <tr>
          {["protocol", "state", "original", "reply"].map((column) => (
            <th key={column} scope="col">
              {t(`story.column.${column}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {of.rows.map((row) => {
          const original = `${end(row.source, row.source_port)} → ${end(row.target, row.target_port)}`;
          const reply = `${end(row.reply_source, row.reply_source_port)} → ${end(row.reply_target, row.reply_target_port)}`;
          return (
            <tr key={`${row.protocol} ${original} ${reply}`}>
              <td>{row.protocol}</td>
              <td>{row.state}</td>
              <td className="mono">{original}</td>
              <td className="mono">{reply}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The tables at a station, asked for when one stays at it. `failed`: the answer's status. */
function useTables(station: Station | undefined) {
  const model = useStoryModel();
  const trace = useStory(({ traces }) => traces.get(station?.packet ?? -1));
  const [answer, setAnswer] = useState<{
    of: Station;
    tables: HopTables | null;
    failed: number | null;
  } | null>(null);
  useEffect(() => {
    const index = station ? (trace?.hops.indexOf(station.hop) ?? -1) : -1;
    if (!station || index < 0) return;
    let gone = false;
    const ask = () =>
      model.editor.session.api.tables(station.packet, index).then(
        (tables) => {
          if (!gone) setAnswer({ of: station, tables, failed: null });
        },
        (reason: unknown) => {
          const failed = reason instanceof ApiError ? reason.status : 0;
          if (!gone) setAnswer({ of: station, tables: null, failed });
        },
      );
    const timer = setTimeout(ask, SETTLE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [model, station, trace]);
  const known = answer?.of === station ? answer : null;
  return { tables: known?.tables ?? null, failed: known?.failed ?? null };
}
