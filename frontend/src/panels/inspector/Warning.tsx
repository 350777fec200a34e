import { useTranslation } from "react-i18next";
import { useLivePart } from "../../app/editor";
import { warningText } from "../../app/warningText";

/** What is wrong on this cable or node, if anything is. */
export function Warning({ id }: { id: string }) {
  const { t } = useTranslation();
  const warning = useLivePart((live) => live.warningAt(id));
  if (!warning) return null;
  return (
    <p className="warn-text small">
      <span aria-hidden="true">▲ </span>
      {warningText(warning, t)}
    </p>
  );
}
