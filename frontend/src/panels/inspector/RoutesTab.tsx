import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useEditor, useTopology } from "../../app/editor";
import { makeRoute } from "../../doc/defaults";
import { indexOf } from "../../doc/graph";
import { newId } from "../../doc/ids";
import type { TopoRoute } from "../../doc/model";
import { add, remove, set } from "../../doc/ops";
import { Button } from "../../ui/Button";
import { SelectRow, TextRow } from "../../ui/fields";
import { addressProblem, prefixProblem } from "./addresses";

/** A node's static routes: destination, next hop, device, metric. */
export function RoutesTab({ node }: { node: string }) {
  const { t } = useTranslation();
  const topology = useTopology();
  const [open, setOpen] = useState<string | null>(null);
  const routes = indexOf(topology).routesOf.get(node) ?? [];
  return (
    <>
      <ul className="port-list">
        {routes.map((id) => (
          <RouteItem
            key={id}
            id={id}
            open={open === id}
            onToggle={() => setOpen(open === id ? null : id)}
          />
        ))}
        {routes.length === 0 && <li className="dim empty">{t("inspector.noRoutes")}</li>}
      </ul>
      <NewRoute node={node} />
    </>
  );
}

interface ItemProps {
  id: string;
  open: boolean;
  onToggle: () => void;
}

function RouteItem({ id, open, onToggle }: ItemProps) {
  const { t } = useTranslation();
  const editor = useEditor();
  const { routes, interfaces } = useTopology();
  const route = routes[id];
  if (!route) return null;
  const device = route.device === null ? "" : (interfaces[route.device]?.name ?? "");
  const words = [
    route.via === null ? "" : `via ${route.via}`,
    device === "" ? "" : `dev ${device}`,
    route.metric === null ? "" : `metric ${route.metric}`,
  ];
  return (
    <li>
      <button
        type="button"
        className={open ? "port-line route on" : "port-line route"}
        aria-expanded={open}
        onClick={onToggle}
      >
        <b className="mono">{shownPrefix(route.prefix)}</b>
        <span className="mono dim">{words.filter(Boolean).join(" ")}</span>
      </button>
      {open && (
        <div className="port-form">
          <RouteFields
            route={route}
            onChange={(patch) => editor.submit(set("routes", id, patch))}
          />
          <div className="actions">
            <Button
              label={t("inspector.removeRoute", { prefix: route.prefix })}
              icon="trash"
              kind="danger"
              small
              onPress={() => editor.submit(remove("routes", id))}
            >
              {t("inspector.remove")}
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}

function shownPrefix(prefix: string): string {
  return prefix === "0.0.0.0/0" || prefix === "::/0" ? `default (${prefix})` : prefix;
}

interface FieldsProps {
  route: TopoRoute;
  onChange: (patch: Partial<TopoRoute>) => void;
}

function RouteFields({ route, onChange }: FieldsProps) {
  const { t } = useTranslation();
  const topology = useTopology();
  const ports = indexOf(topology).interfacesOf.get(route.node) ?? [];
  const said = (reason: string | null) => reason && t(reason);
  return (
    <>
      <TextRow
        label={t("fields.destination")}
        value={route.prefix}
        validate={(text) => said(prefixProblem(destination(text)))}
        onCommit={(text) => onChange({ prefix: destination(text) })}
        mono
      />
      <TextRow
        label={t("fields.via")}
        value={route.via ?? ""}
        validate={(text) => (text === "" ? null : said(addressProblem(text)))}
        onCommit={(text) => onChange({ via: text === "" ? null : text })}
        mono
      />
      <SelectRow
        label={t("fields.device")}
        value={route.device ?? ""}
        options={[
          ["", t("fields.automatic")],
          ...ports.map((id) => [id, topology.interfaces[id]?.name ?? id] as const),
        ]}
        onChange={(device) => onChange({ device: device === "" ? null : device })}
      />
      <TextRow
        label={t("fields.metric")}
        value={route.metric === null ? "" : String(route.metric)}
        placeholder={t("fields.automatic")}
        validate={(text) =>
          /^\d*$/.test(text) && Number(text) < 2 ** 32 ? null : t("fields.metricRange")
        }
        onCommit={(text) => onChange({ metric: text === "" ? null : Number(text) })}
        mono
        numeric
      />
    </>
  );
}

/** "default" is what `ip route` calls it. */
function destination(text: string): string {
  if (text === "default") return "0.0.0.0/0";
  return text === "default6" ? "::/0" : text;
}

/** A line to add a route: destination and next hop; the rest is edited in the list. */
function NewRoute({ node }: { node: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const [prefix, setPrefix] = useState("");
  const [via, setVia] = useState("");
  const [error, setError] = useState<string | null>(null);
  const id = useId();
  const submit = () => {
    const to = destination(prefix.trim());
    const hop = via.trim();
    const reason = prefixProblem(to) ?? addressProblem(hop);
    setError(reason);
    if (reason !== null) return;
    editor.submit(add("routes", newId("routes"), { ...makeRoute(node, to), via: hop }));
    setPrefix("");
    setVia("");
  };
  return (
    <form
      className="sec new-route"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <h3>{t("inspector.newRoute")}</h3>
      <div className="field">
        <label htmlFor={`${id}-to`}>{t("fields.destination")}</label>
        <input
          id={`${id}-to`}
          className="input mono"
          placeholder="10.0.2.0/24"
          value={prefix}
          onChange={(event) => setPrefix(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-via`}>{t("fields.via")}</label>
        <input
          id={`${id}-via`}
          className="input mono"
          placeholder="10.0.1.1"
          value={via}
          onChange={(event) => setVia(event.target.value)}
        />
      </div>
      {error !== null && (
        <span className="field-error" role="alert">
          {t(error)}
        </span>
      )}
      <button type="submit" className="btn small">
        {t("inspector.addRoute")}
      </button>
    </form>
  );
}
