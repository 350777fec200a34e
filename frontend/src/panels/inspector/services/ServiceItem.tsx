import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { useEditor, useLive, useTopology } from "../../../app/editor";
import { serverLine } from "../../../app/serverText";
import { remove, set } from "../../../doc/ops";
import { addService, whyNotServe } from "../../../doc/serviceEdits";
import {
  SERVICE_LETTER,
  type ServiceKind,
  type ServiceOptions,
  serviceSummary,
  type TopoService,
} from "../../../doc/services";
import { Button } from "../../../ui/Button";
import { Check } from "../../../ui/fields";
import { Icon } from "../../../ui/Icon";
import { formOf } from "./forms";
import { LogDialog } from "./LogDialog";
import { StateWord } from "./StateWord";
import { serviceStateKey, serviceTone } from "./status";

/** Kinds of which a node can well have several. */
const SEVERAL: ReadonlySet<ServiceKind> = new Set([
  "dhcp-server",
  "router-advertisements",
  "http",
  "command",
]);

interface Props {
  id: string;
  service: TopoService;
  open: boolean;
  onToggle: () => void;
}

/** A drawn service: on or off, how it fares, and its options when it is opened. */
export function ServiceItem({ id, service, open, onToggle }: Props) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const live = useLive();
  const formId = useId();
  const now = live.running ? live.node(service.node)?.services?.[id] : undefined;
  const tone = serviceTone(service, now, live);
  const name = t(`services.kind.${service.kind}`);
  const summary = serviceSummary(service, (port) => topology.interfaces[port]?.name ?? "–");
  return (
    <>
      <div className="service-line">
        <span className={`service-letter ${tone}`} aria-hidden="true">
          {SERVICE_LETTER[service.kind]}
        </span>
        <Check
          label={name}
          checked={service.up}
          onChange={(up) => editor.submit(set("services", id, { up }))}
        />
        <StateWord tone={tone} word={serviceStateKey(service, now, live)} />
        <button
          type="button"
          className="twisty-button"
          aria-expanded={open}
          aria-controls={formId}
          aria-label={t("services.optionsOf", { name: `${name} ${summary}`.trim() })}
          onClick={onToggle}
        >
          <Icon name={open ? "down" : "right"} size={14} />
        </button>
        {summary !== "" && (
          <span className="service-summary mono dim" title={summary}>
            {summary}
          </span>
        )}
      </div>
      {now && now.message !== "" && (
        <p className={`service-message ${now.state === "failed" ? "bad" : ""}`}>
          {serverLine(now, t)}
        </p>
      )}
      {now && now.restarts > 0 && (
        <p className="service-message dim">{t("services.restarts", { count: now.restarts })}</p>
      )}
      <div id={formId} className="port-form" hidden={!open}>
        {open && now && <p className="dim small">{t("services.restartsIt")}</p>}
        {open && <Options id={id} service={service} name={name} />}
      </div>
    </>
  );
}

function Options({ id, service, name }: { id: string; service: TopoService; name: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const live = useLive();
  const topology = useTopology();
  const [log, setLog] = useState(false);
  const Form = formOf(service.kind);
  const change = (patch: Partial<ServiceOptions[ServiceKind]>) => {
    const options = { ...service.options, ...patch } as TopoService["options"];
    editor.submit(set("services", id, { options } as Partial<TopoService>));
  };
  const full = whyNotServe(topology, service.node, service.kind);
  const another = () => {
    const added = addService(editor.topology, service.node, service.kind);
    if (!added) return;
    editor.submit(added.operation);
    editor.ui.setState({ focusedService: added.id });
  };
  return (
    <>
      <Form node={service.node} options={service.options} change={change} />
      <div className="actions">
        <Button
          label={t("services.logOf", { name })}
          icon="plan"
          small
          disabledReason={live.running ? null : t("inspector.notRunning")}
          onPress={() => setLog(true)}
        >
          {t("services.log")}
        </Button>
        {SEVERAL.has(service.kind) && (
          <Button
            label={t("services.anotherOf", { name })}
            icon="plus"
            small
            disabledReason={full && t(full)}
            onPress={another}
          >
            {t("services.another")}
          </Button>
        )}
        <Button
          label={t("services.removeOf", { name })}
          icon="trash"
          kind="danger"
          small
          onPress={() => editor.submit(remove("services", id))}
        >
          {t("inspector.remove")}
        </Button>
      </div>
      {log && <LogDialog service={id} name={name} onClose={() => setLog(false)} />}
    </>
  );
}
