import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { useDrawn, useLab } from "../../app/editor";
import { useDraft } from "../../ui/fields";

/** The lab's name, edited in place. */
export function LabName() {
  const { t } = useTranslation();
  const lab = useLab();
  const name = useDrawn((drawing) => drawing.name);
  const field = useRef<HTMLInputElement>(null);
  const draft = useDraft(
    name,
    (text) => (text === "" || text.length > 120 ? t("topbar.nameLength") : null),
    (text) => lab.rename(text),
  );
  return (
    <>
      <h1 className="hidden-text">{name || t("topbar.unnamed")}</h1>
      <input
        ref={field}
        className="lab-name"
        aria-label={t("topbar.labName")}
        aria-invalid={draft.error !== null}
        title={draft.error ?? undefined}
        value={draft.text}
        size={Math.min(40, Math.max(8, draft.text.length))}
        placeholder={t("topbar.unnamed")}
        onChange={(event) => draft.setText(event.target.value)}
        onBlur={() => {
          draft.commit();
          if (draft.error) draft.revert();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") field.current?.blur();
          if (event.key === "Escape") draft.revert();
        }}
      />
    </>
  );
}
