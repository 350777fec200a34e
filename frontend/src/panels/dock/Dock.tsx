import "./dock.css";
import { useTranslation } from "react-i18next";
import { useLab } from "../../app/editor";

/** The packets of a lab, below the canvas. */
export function Dock({ labId }: { labId: number }) {
  const { t } = useTranslation();
  const lab = useLab();
  return (
    <section className="dock" aria-label={t("dock.title")} data-lab={labId}>
      <p className="dim">{t("dock.count", { count: lab.packets.store.all().length })}</p>
    </section>
  );
}
