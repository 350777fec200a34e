/** "10, 20" as numbers, sorted and once each; null when one is no VLAN (IEEE 802.1Q: 1 to 4094). */
export function parseVlans(text: string): number[] | null {
  const words = text.split(/[\s,]+/).filter(Boolean);
  const numbers = words.map((word) => (/^\d+$/.test(word) ? Number(word) : 0));
  if (numbers.some((number) => number < 1 || number > 4094)) return null;
  return [...new Set(numbers)].sort((one, other) => one - other);
}
