/** The system clipboard where the browser allows it; else what this page copied last. */

let own = "";

export async function writeClipboard(text: string): Promise<void> {
  own = text;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No permission or no secure context: pasting within this page still works.
  }
}

export async function readClipboard(): Promise<string> {
  try {
    return (await navigator.clipboard.readText()) || own;
  } catch {
    return own;
  }
}
