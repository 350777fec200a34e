import "./services.css";
import { useTranslation } from "react-i18next";
import { useEditor, useFacts, useLive, useTopology, useUi } from "../../../app/editor";
import { indexOf } from "../../../doc/graph";
import { addService, whyNotServe } from "../../../doc/serviceEdits";
import { SERVICE_KINDS, SERVICE_LETTER, type ServiceKind } from "../../../doc/services";
import { ActionButton } from "../../../ui/ActionButton";
import { Check } from "../../../ui/fields";
import { FrrLive } from "./FrrLive";
import { ServiceItem } from "./ServiceItem";

/** All that a node can serve: what it does, and an offer of each other kind. */
export function ServicesTab({ node }: { node: string }) {
  const editor = useEditor();
  const { t } = useTranslation();
  const topology = useTopology();
  const live = useLive();
  const focused = useUi((state) => state.focusedService);
  const sandbox = useFacts((facts) => facts.features.sandbox);
  const ids = indexOf(topology).servicesOf.get(node) ?? [];
  const ofKind = (kind: ServiceKind) =>
    ids.flatMap((id) => {
      const service = topology.services[id];
      return service?.kind === kind ? [{ id, service }] : [];
    });
  const routing = ofKind("frr").some(
    ({ id }) => live.running && live.node(node)?.services?.[id]?.state === "running",
  );
  return (
    <>
      {sandbox?.ok === false && (
        <p className="sec warn-text small">
          {t("services.noSandbox")} {sandbox.reason}
        </p>
      )}
      <ul className="service-list" aria-label={t("inspector.services")}>
        {SERVICE_KINDS.map((kind) => {
          const drawn = ofKind(kind);
          if (drawn.length === 0) return <Offer key={kind} node={node} kind={kind} />;
          return drawn.map(({ id, service }) => (
            <li key={id} className="service">
              <ServiceItem
                id={id}
                service={service}
                open={id === focused}
                onToggle={() => editor.ui.setState({ focusedService: id === focused ? null : id })}
              />
            </li>
          ));
        })}
      </ul>
      {routing && <FrrLive node={node} />}
      <div className="sec actions">
        <ActionButton id="tools" text />
      </div>
    </>
  );
}

/** A kind that the node does not serve yet. */
function Offer({ node, kind }: { node: string; kind: ServiceKind }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const topology = useTopology();
  const reason = whyNotServe(topology, node, kind);
  const begin = () => {
    const added = addService(editor.topology, node, kind);
    if (!added) return;
    editor.submit(added.operation);
    editor.ui.setState({ focusedService: added.id });
  };
  return (
    <li className="service">
      <div className="service-line">
        <span className="service-letter off" aria-hidden="true">
          {SERVICE_LETTER[kind]}
        </span>
        <Check
          label={t(`services.kind.${kind}`)}
          checked={false}
          disabled={reason !== null}
          onChange={begin}
        />
      </div>
      {reason !== null && <p className="service-message dim">{t(reason)}</p>}
    </li>
  );
}
