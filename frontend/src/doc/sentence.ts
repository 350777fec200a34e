/** Sentences of the server, in which nodes stand as `{name:<id>}`. */

import type { Topology } from "./model";

/** The sentence in a language, with the names that are drawn; a removed node keeps its id. */
export function sentence(
  text: Readonly<Record<string, string>>,
  language: string,
  nodes: Topology["nodes"],
): string {
  const words = text[language] ?? text.en ?? "";
  return words.replace(/\{name:([\w-]+)\}/g, (_, id: string) => nodes[id]?.name ?? id);
}
