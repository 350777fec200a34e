import { useTranslation } from "react-i18next";
import { useUi } from "../../app/editor";
import { ActionButton } from "../../ui/ActionButton";

export function ZoomControls() {
  const { t } = useTranslation();
  const zoom = useUi((state) => state.zoom);
  return (
    <div className="float zoom" role="toolbar" aria-label={t("canvas.zoom")}>
      <ActionButton id="zoomOut" kind="bare" />
      <span className="mono">{Math.round(zoom * 100)} %</span>
      <ActionButton id="zoomIn" kind="bare" />
      <ActionButton id="fit" kind="bare" />
    </div>
  );
}
