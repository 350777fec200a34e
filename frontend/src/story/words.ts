/** The room's own texts, in both languages: they are loaded with it. */

import i18next from "i18next";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Wording } from "../api/traces";
import { useTopology } from "../app/editor";
import { sentence } from "../doc/sentence";
import en from "../i18n/story.en.json";
import zh from "../i18n/story.zh-CN.json";

/** To be called before the first part of the room is shown. */
export function addWords(): void {
  i18next.addResourceBundle("en", "story", en);
  i18next.addResourceBundle("zh-CN", "story", zh);
}

/** As `useTranslation`, with the room's texts before those of the page. */
export function useWords() {
  return useTranslation(["story", "translation"], { nsMode: "fallback" });
}

/** The server's sentences in the user's language, with the drawn names in them. */
export function useSentence(): (text: Wording) => string {
  const { i18n } = useTranslation();
  const { nodes } = useTopology();
  return useCallback((text) => sentence(text, i18n.language, nodes), [i18n.language, nodes]);
}

/** The drawn name of a node; its id when it was removed. */
export function useNames(): (node: string) => string {
  const { nodes } = useTopology();
  return useCallback((node) => nodes[node]?.name ?? node, [nodes]);
}
