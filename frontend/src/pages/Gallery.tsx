import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Template } from "../api/types";
import { normalizeDocument } from "../doc/defaults";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Modal } from "../ui/Modal";
import { blocksOf } from "./lessonText";
import { Thumbnail } from "./Thumbnail";

type LocalText = Template["name"];

/** In the reader's language, else in English. */
function local(text: LocalText, language: string): string {
  return text[language] ?? text.en ?? "";
}

interface Props {
  templates: readonly Template[];
  onOpen: (template: Template, name: string) => void;
}

/** Labs to begin with, each with what it teaches. */
export function Gallery({ templates, onOpen }: Props) {
  const { t } = useTranslation();
  const [read, setRead] = useState<Template | null>(null);
  if (templates.length === 0) return null;
  return (
    <section aria-labelledby="gallery-title">
      <div className="page-head">
        <h2 id="gallery-title">{t("pages.gallery")}</h2>
        <p className="dim">{t("pages.galleryHint")}</p>
      </div>
      <ul className="cards">
        {templates.map((template) => (
          <TemplateCard
            key={template.id}
            template={template}
            onRead={() => setRead(template)}
            onOpen={onOpen}
          />
        ))}
      </ul>
      {read && <TemplateDialog template={read} onClose={() => setRead(null)} onOpen={onOpen} />}
    </section>
  );
}

interface CardProps {
  template: Template;
  onRead: () => void;
  onOpen: Props["onOpen"];
}

function TemplateCard({ template, onRead, onOpen }: CardProps) {
  const { t, i18n } = useTranslation();
  const topology = useMemo(() => normalizeDocument(template.document), [template]);
  const name = local(template.name, i18n.language);
  return (
    <li className="card">
      <Thumbnail topology={topology} />
      <div className="card-text">
        <h3>
          <button type="button" className="card-link" onClick={onRead}>
            {name}
          </button>
        </h3>
        <p className="dim card-summary">{local(template.summary, i18n.language)}</p>
      </div>
      <div className="card-open">
        <Button label={t("pages.openNamed", { name })} small onPress={() => onOpen(template, name)}>
          {t("pages.open")}
        </Button>
      </div>
    </li>
  );
}

interface DialogProps {
  template: Template;
  onClose: () => void;
  onOpen: Props["onOpen"];
}

/** The lab's explanation, to be read before it is opened. */
function TemplateDialog({ template, onClose, onOpen }: DialogProps) {
  const { t, i18n } = useTranslation();
  const topology = useMemo(() => normalizeDocument(template.document), [template]);
  const name = local(template.name, i18n.language);
  return (
    <Modal
      title={name}
      onClose={onClose}
      footer={
        <Button
          label={t("pages.open")}
          kind="primary"
          onPress={() => {
            onClose();
            onOpen(template, name);
          }}
        >
          <Icon name="play" />
          {t("pages.open")}
        </Button>
      }
    >
      <Thumbnail topology={topology} />
      <Lesson text={local(template.text, i18n.language)} />
    </Modal>
  );
}

function Lesson({ text }: { text: string }) {
  return (
    <div className="lesson">
      {blocksOf(text).map((block) =>
        block.kind === "text" ? (
          <p key={block.text}>{block.text}</p>
        ) : (
          <ol key={block.items.join()}>
            {block.items.map((item) => (
              <li key={item}>{item}</li>
            ))}
          </ol>
        ),
      )}
    </div>
  );
}
