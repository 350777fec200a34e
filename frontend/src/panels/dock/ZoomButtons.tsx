import { useTranslation } from "react-i18next";
import { Button } from "../../ui/Button";
import { NEARER } from "./zoom";

interface Props {
  whole: boolean; // all of it is shown
  onZoom: (factor: number) => void;
  onAll: () => void;
}

/** Nearer, farther, all of a time-line; the keys are those of the line itself. */
export function ZoomButtons({ whole, onZoom, onAll }: Props) {
  const { t } = useTranslation();
  const reason = whole ? t("timeline.whole") : null;
  return (
    <div className="btn-group zoom-buttons" role="toolbar" aria-label={t("timeline.zoom")}>
      <Button
        label={t("timeline.farther")}
        shortcut="-"
        icon="minus"
        disabledReason={reason}
        onPress={() => onZoom(1 / NEARER)}
      />
      <Button
        label={t("timeline.nearer")}
        shortcut="+"
        icon="plus"
        onPress={() => onZoom(NEARER)}
      />
      <Button
        label={t("timeline.all")}
        shortcut="0"
        icon="fit"
        disabledReason={reason}
        onPress={onAll}
      />
    </div>
  );
}
