/** The terminal's colours, from the page's tokens. */

import type { ITheme } from "@xterm/xterm";

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/** xterm's theme as the tokens are now. */
export function palette(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--term${name}`).trim();
  const plain = COLOURS.map((name) => [name, token(`-${name}`)]);
  const bright = COLOURS.map((name) => [
    `bright${name[0]?.toUpperCase()}${name.slice(1)}`,
    token(`-bright-${name}`),
  ]);
  return {
    background: token(""),
    foreground: token("-tx"),
    cursor: token("-tx"),
    cursorAccent: token(""),
    selectionBackground: token("-selection"),
    ...Object.fromEntries([...plain, ...bright]),
  };
}
