/** IPv4 prefixes as numbers, for what the editor suggests. The server checks what is drawn. */

export interface Ipv4Prefix {
  address: number;
  network: number;
  length: number;
}

/** "10.0.0.1/24" as numbers; null when it is no IPv4 prefix. */
export function parsePrefix(text: string): Ipv4Prefix | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text);
  if (!match) return null;
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((octet) => octet > 255) || length > 32) return null;
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return { address, network: address - (address % 2 ** (32 - length)), length };
}

/** The number of an address without a length; null when it is no IPv4 address. */
export function parseAddress(text: string): number | null {
  return parsePrefix(`${text}/32`)?.address ?? null;
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** "10.0.1.7/24" → "10.0.1.0/24"; null when it is no IPv4 prefix. */
export function networkOf(text: string): string | null {
  const prefix = parsePrefix(text);
  return prefix && `${formatAddress(prefix.network)}/${prefix.length}`;
}

export function contains(prefix: Ipv4Prefix, address: number): boolean {
  return address >= prefix.network && address < prefix.network + 2 ** (32 - prefix.length);
}
