import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Lab } from "../api/types";
import { Button } from "../ui/Button";
import { Modal } from "../ui/Modal";

const NAME_LONGEST = 120;

interface RenameProps {
  lab: Lab;
  onClose: () => void;
  onRename: (name: string) => void;
}

export function RenameDialog({ lab, onClose, onRename }: RenameProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(lab.name);
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    const next = name.trim();
    if (next === "") return;
    onClose();
    if (next !== lab.name) onRename(next);
  };
  return (
    <Modal
      title={t("pages.rename")}
      onClose={onClose}
      footer={
        <>
          <Button label={t("pages.cancel")} onPress={onClose}>
            {t("pages.cancel")}
          </Button>
          <Button
            label={t("pages.rename")}
            kind="primary"
            disabledReason={name.trim() === "" ? t("topbar.nameLength") : null}
            onPress={() => submit()}
          >
            {t("pages.rename")}
          </Button>
        </>
      }
    >
      <form className="name-form" onSubmit={submit}>
        <label>
          {t("topbar.labName")}
          <input
            className="input"
            // biome-ignore lint/a11y/noAutofocus: the dialog is this field
            autoFocus
            value={name}
            maxLength={NAME_LONGEST}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      </form>
    </Modal>
  );
}

interface DeleteProps {
  lab: Lab;
  onClose: () => void;
  onDelete: () => void;
}

/** A lab is gone for good: this asks first. */
export function DeleteDialog({ lab, onClose, onDelete }: DeleteProps) {
  const { t } = useTranslation();
  const name = lab.name || t("topbar.unnamed");
  return (
    <Modal
      title={t("pages.deleteTitle", { name })}
      onClose={onClose}
      footer={
        <>
          <Button label={t("pages.cancel")} onPress={onClose}>
            {t("pages.cancel")}
          </Button>
          <Button
            label={t("pages.remove")}
            icon="trash"
            kind="danger"
            onPress={() => {
              onClose();
              onDelete();
            }}
          >
            {t("pages.remove")}
          </Button>
        </>
      }
    >
      <p>{t(lab.running ? "pages.deleteRunning" : "pages.deleteText")}</p>
    </Modal>
  );
}
