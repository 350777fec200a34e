import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../actions/registry";
import en from "./en.json";
import filterEn from "./filter.en.json";
import filterZh from "./filter.zh-CN.json";
import kindsEn from "./kinds.en.json";
import kindsZh from "./kinds.zh-CN.json";
import replayEn from "./replay.en.json";
import replayZh from "./replay.zh-CN.json";
import storyEn from "./story.en.json";
import storyZh from "./story.zh-CN.json";
import zh from "./zh-CN.json";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [path, text] of flat(value, `${prefix}${key}.`)) found.set(path, text);
  }
  return found;
}

/** Plural forms differ by language: English has two, Chinese one (CLDR). */
function base(keys: Iterable<string>): string[] {
  return [...new Set([...keys].map((key) => key.replace(/_(one|other)$/, "")))].sort();
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();
}

// What the server says comes in English; its translations are held to its codes by
// tests/unit/core/test_texts.py.
const { problem: _, ...rest } = zh;
const english = flat({ ...en, ...storyEn, ...replayEn, ...filterEn, ...kindsEn });
const chinese = flat({ ...rest, ...storyZh, ...replayZh, ...filterZh, ...kindsZh });

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [path] : [];
  });
}

describe("translations", () => {
  it("have the same keys in both languages", () => {
    expect(base(chinese.keys())).toEqual(base(english.keys()));
  });

  it("leave nothing empty and fill the same values", () => {
    for (const [key, text] of chinese) {
      expect(text, key).not.toBe("");
      const other = english.get(key);
      if (other !== undefined) expect(placeholders(text), key).toEqual(placeholders(other));
    }
  });

  it("hold every key that the sources name", () => {
    const keys = new Set(base(english.keys()));
    const missing = sources(join(import.meta.dirname, "..")).flatMap((path) => {
      const text = readFileSync(path, "utf8");
      const named = [...text.matchAll(/\bt\(\s*"([\w.-]+)"/g)].map((match) => match[1] ?? "");
      return named.filter((key) => !keys.has(key)).map((key) => `${path}: ${key}`);
    });
    expect(missing).toEqual([]);
  });

  it("name every action", () => {
    for (const { id, group } of ACTIONS) {
      expect(english.has(`actions.${id}`), id).toBe(true);
      expect(english.has(`actionGroup.${group}`), group).toBe(true);
    }
  });
});
