/** A template's text: paragraphs apart by an empty line, numbered lines as a list. */

export type Block = { kind: "text"; text: string } | { kind: "list"; items: string[] };

export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  for (const line of text.split("\n")) {
    const item = /^\d+\.\s*(.+)$/.exec(line)?.[1];
    const last = blocks[blocks.length - 1];
    if (item === undefined) {
      if (line.trim() !== "") blocks.push({ kind: "text", text: line });
    } else if (last?.kind === "list") {
      last.items.push(item);
    } else {
      blocks.push({ kind: "list", items: [item] });
    }
  }
  return blocks;
}
