import type { ReactNode } from "react";
import { Modal as AriaModal, Dialog, Heading, ModalOverlay } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Button } from "./Button";

interface ModalProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  /** Its text may be longer than the window and holds nothing to focus: keys scroll it. */
  reading?: boolean;
}

/** A dialog over the page; Escape, a click beside it and the cross close it. */
export function Modal({ title, onClose, children, footer, reading }: ModalProps) {
  const { t } = useTranslation();
  return (
    <ModalOverlay className="veil" isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <AriaModal className="dialog">
        <Dialog>
          <div className="dialog-head">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <Button label={t("ui.close")} icon="close" kind="bare" onPress={onClose} />
          </div>
          <div className="dialog-body" {...(reading ? { tabIndex: 0 } : {})}>
            {children}
          </div>
          {footer && <div className="dialog-foot">{footer}</div>}
        </Dialog>
      </AriaModal>
    </ModalOverlay>
  );
}
