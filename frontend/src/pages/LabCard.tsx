import { useEffect, useRef, useState } from "react";
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Lab } from "../api/types";
import { Link } from "../app/router";
import { normalizeDocument } from "../doc/defaults";
import type { Topology } from "../doc/model";
import type { Api } from "../net/api";
import { Icon, type IconName } from "../ui/Icon";
import { ago } from "./ago";
import { Thumbnail } from "./Thumbnail";

export type LabVerb = "rename" | "duplicate" | "remove";

const VERBS: readonly (readonly [LabVerb, IconName])[] = [
  ["rename", "rename"],
  ["duplicate", "copy"],
  ["remove", "trash"],
];

interface Props {
  api: Api;
  lab: Lab;
  onVerb: (verb: LabVerb, lab: Lab) => void;
}

/** One lab: its drawing in small, its name, its state, and what can be done with it. */
export function LabCard({ api, lab, onVerb }: Props) {
  const { t, i18n } = useTranslation();
  const card = useRef<HTMLLIElement>(null);
  const topology = useDrawing(api, lab, card);
  const name = lab.name || t("topbar.unnamed");
  const nodes = topology ? Object.keys(topology.nodes).length : 0;
  return (
    <li ref={card} className="card">
      {topology && nodes > 0 ? (
        <Thumbnail topology={topology} />
      ) : (
        <div className="thumb empty">{topology && t("pages.emptyLab")}</div>
      )}
      <div className="card-text">
        <h2>
          <Link to={`/labs/${lab.id}`} className="card-link">
            {name}
          </Link>
        </h2>
        <p className="card-facts">
          <PhaseBadge lab={lab} />
          <span>{ago(lab.updated, i18n.language)}</span>
        </p>
      </div>
      <MenuTrigger>
        <AriaButton className="btn icon bare card-menu" aria-label={t("pages.menu", { name })}>
          <Icon name="more" />
        </AriaButton>
        <Popover className="popover" placement="bottom end" offset={4}>
          <Menu
            className="menu"
            aria-label={t("pages.menu", { name })}
            onAction={(key) => onVerb(key as LabVerb, lab)}
          >
            {VERBS.map(([verb, icon]) => (
              <MenuItem key={verb} id={verb} className="menu-item">
                <Icon name={icon} />
                {t(`pages.${verb}`)}
              </MenuItem>
            ))}
          </Menu>
        </Popover>
      </MenuTrigger>
    </li>
  );
}

function PhaseBadge({ lab }: { lab: Lab }) {
  const { t } = useTranslation();
  const { phase } = lab.status;
  const tone =
    phase === "running" ? "ok" : phase === "failed" ? "bad" : phase === "stopped" ? "" : "pend";
  return (
    <span className={`phase ${tone}`}>
      <span className="phase-dot" aria-hidden="true" />
      {t(`phase.${phase}`)}
    </span>
  );
}

const drawings = new Map<string, Topology>();

/** The lab's drawing, asked for when its card comes into view; kept while it does not change. */
function useDrawing(
  api: Api,
  lab: Lab,
  card: React.RefObject<HTMLElement | null>,
): Topology | undefined {
  const key = `${lab.id} ${lab.seq}`;
  const [, setLoaded] = useState("");
  const known = drawings.get(key);
  useEffect(() => {
    const element = card.current;
    if (!element || drawings.has(key)) return;
    let gone = false;
    const load = async () => {
      const { document } = await api.forLab(lab.id).document();
      drawings.set(key, normalizeDocument(document));
      if (!gone) setLoaded(key);
    };
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      // Without its picture a card still says all that matters.
      load().catch(() => {});
    });
    observer.observe(element);
    return () => {
      gone = true;
      observer.disconnect();
    };
  }, [api, card, key, lab.id]);
  return known;
}
