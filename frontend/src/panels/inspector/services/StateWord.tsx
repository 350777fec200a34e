import { useTranslation } from "react-i18next";
import type { RowFace } from "../../outline/OutlineRow";

const DOTS: Record<RowFace["tone"], string> = {
  ok: "●",
  warn: "▲",
  bad: "■",
  off: "○",
  pend: "◌",
};

/** Shape, colour and word of a state; `word` is an i18n key. */
export function StateWord({ tone, word }: { tone: RowFace["tone"]; word: string }) {
  const { t } = useTranslation();
  return (
    <span className={`state-word ${tone}`}>
      <span aria-hidden="true">{DOTS[tone]} </span>
      {t(word)}
    </span>
  );
}
