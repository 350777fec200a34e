/** Lists in a service's options as lines of text, one entry a line. */

import type { BgpNeighbour, DnsRecord, OspfNetwork } from "./services";

/** Lines that can be read as a list, or the first line that cannot. */
export type Parsed<V> = { values: V[] } | { wrong: string };

/** How a list's entries are written and read; `read` answers null for what is not one. */
export interface ListFormat<V> {
  write: (value: V) => string;
  read: (words: string[]) => V | null;
}

export function formatLines<V>({ write }: ListFormat<V>, values: readonly V[]): string {
  return values.map(write).join("\n");
}

export function parseLines<V>({ read }: ListFormat<V>, text: string): Parsed<V> {
  const values: V[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "") continue;
    const value = read(words);
    if (value === null) return { wrong: line.trim() };
    values.push(value);
  }
  return { values };
}

const PREFIX = /^[0-9a-fA-F.:]+\/\d{1,3}$/;
const ADDRESS = /^[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*$/;
const AREA = /^(\d{1,3}\.){3}\d{1,3}$/;
const LARGEST_AS = 2 ** 32 - 2; // RFC 7300: 4294967295 is reserved

/** An autonomous system number, RFC 6793; null when the text is none. */
export function parseAsn(text: string): number | null {
  const asn = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return asn >= 1 && asn <= LARGEST_AS ? asn : null;
}

/** "10.0.1.0/24" */
export const PREFIXES: ListFormat<string> = {
  write: (prefix) => prefix,
  read: ([prefix = "", ...more]) => (PREFIX.test(prefix) && more.length === 0 ? prefix : null),
};

/** "www 10.0.1.10" */
export const RECORDS: ListFormat<DnsRecord> = {
  write: ({ name, address }) => `${name} ${address}`,
  read: ([name = "", address = "", ...more]) =>
    ADDRESS.test(address) && more.length === 0 ? { name, address } : null,
};

/** "10.0.1.0/24 0.0.0.0", the area may be left out. */
export const NETWORKS: ListFormat<OspfNetwork> = {
  write: ({ prefix, area }) => `${prefix} ${area}`,
  read: ([prefix = "", area = "0.0.0.0", ...more]) =>
    PREFIX.test(prefix) && AREA.test(area) && more.length === 0 ? { prefix, area } : null,
};

/** "10.0.12.2 65002" */
export const NEIGHBOURS: ListFormat<BgpNeighbour> = {
  write: ({ address, asn }) => `${address} ${asn}`,
  read: ([address = "", number = "", ...more]) => {
    const asn = parseAsn(number);
    return ADDRESS.test(address) && asn !== null && more.length === 0 ? { address, asn } : null;
  },
};
