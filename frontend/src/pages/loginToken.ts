/** The token in what was pasted: the token alone, or the whole printed address. */
export function tokenOf(pasted: string): string {
  const text = pasted.trim();
  return /[?&]token=([^&#\s]+)/.exec(text)?.[1] ?? text;
}
