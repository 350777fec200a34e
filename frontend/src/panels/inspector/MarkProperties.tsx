import { useTranslation } from "react-i18next";
import { useEditor, useTopology } from "../../app/editor";
import { set } from "../../doc/ops";
import { ActionButton } from "../../ui/ActionButton";
import { SelectRow, TextRow } from "../../ui/fields";

const COLORS = ["blue", "orange", "teal", "violet", "grey"];

export function NoteProperties({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const { notes } = useTopology();
  const note = notes[id];
  if (!note) return null;
  return (
    <div className="tab-panel">
      <div className="sec">
        <h2>{t("kind.note")}</h2>
        <TextRow
          label={t("fields.text")}
          value={note.text}
          onCommit={(text) => editor.submit(set("notes", id, { text }))}
          multiline
        />
      </div>
      <div className="sec actions">
        <ActionButton id="remove" kind="danger" text />
      </div>
    </div>
  );
}

export function GroupProperties({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const { groups } = useTopology();
  const group = groups[id];
  if (!group) return null;
  return (
    <div className="tab-panel">
      <div className="sec">
        <h2>{t("kind.group")}</h2>
        <TextRow
          label={t("fields.name")}
          value={group.name}
          onCommit={(name) => editor.submit(set("groups", id, { name }))}
        />
        <SelectRow
          label={t("fields.color")}
          value={group.color}
          options={COLORS.map((color) => [color, t(`color.${color}`)] as const)}
          onChange={(color) => editor.submit(set("groups", id, { color }))}
        />
      </div>
      <div className="sec actions">
        <ActionButton id="remove" kind="danger" text />
      </div>
    </div>
  );
}
