import type { TFunction } from "i18next";

const KEPT = 5_000;

/** The same words, looked up once: a tree of a thousand rows asks for a few of them again and again. */
export function remembered(t: TFunction): TFunction {
  const known = new Map<string, string>();
  const ask = (key: string, options?: Record<string, unknown>): string => {
    const name = options ? `${key} ${JSON.stringify(options)}` : key;
    let words = known.get(name);
    if (words === undefined) {
      words = options ? t(key, options) : t(key);
      if (known.size >= KEPT) known.clear();
      known.set(name, words);
    }
    return words;
  };
  return ask as TFunction;
}
