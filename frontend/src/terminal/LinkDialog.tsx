import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";
import { Modal } from "../ui/Modal";

interface Props {
  address: string;
  name: string; // of the node whose program wrote it
  onClose: () => void;
}

/** A program marked a text as a link: the person sees where it really goes before going there. */
export function LinkDialog({ address, name, onClose }: Props) {
  const { t } = useTranslation();
  const go = () => {
    window.open(address, "_blank", "noopener,noreferrer");
    onClose();
  };
  return (
    <Modal
      title={t("terminal.linkTitle")}
      onClose={onClose}
      footer={
        <>
          <Button label={t("terminal.linkStay")} onPress={onClose}>
            {t("terminal.linkStay")}
          </Button>
          <Button label={t("terminal.linkGo")} onPress={go}>
            {t("terminal.linkGo")}
          </Button>
        </>
      }
    >
      <p>{t("terminal.linkText", { name })}</p>
      <p className="mono term-link">{address}</p>
    </Modal>
  );
}
