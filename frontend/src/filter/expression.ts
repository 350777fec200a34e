/** Display filters as text: what is being typed, what may come there, and how two are joined. */

import type { FilterField, FilterFields } from "../api/filters";
import type { DecodedField, DecodedLayer } from "../api/types";
import type { PacketRow } from "../packets/index";

export interface Suggestion {
  text: string; // what is put in
  about: string;
  from: number; // the part of the expression that it replaces, in UTF-16 units
  to: number;
}

const MOST = 9;

/** What may stand at the caret: a field, an operator behind one, or a value behind that. */
export function suggest(
  text: string,
  caret: number,
  known: FilterFields,
  language: string,
): Suggestion[] {
  const before = text.slice(0, caret);
  const value = /([\w.]+)\s*(==|!=|\beq\b|\bne\b)\s*("?[^\s"]*)$/.exec(before);
  if (value) {
    const [, name, , part = ""] = value;
    const field = known.fields.find((one) => one.name === name);
    const values = (field?.values ?? []).filter((one) => begins(one, part) && one !== part);
    return values.slice(0, MOST).map((one) => place(one, "", caret - part.length, caret));
  }
  const behind = /([\w.]+)\s+(\w*|[=!<>&|]*)$/.exec(before);
  const field = known.fields.find((one) => one.name === behind?.[1]);
  if (behind && field) return operatorsOf(field, behind[2] ?? "", caret, known, language);
  const part = /[\w.]*$/.exec(before)?.[0] ?? "";
  if (part === "") return [];
  return fieldsLike(part, known.fields).map(({ name, text: about }) =>
    place(name, said(about, language), caret - part.length, caret),
  );
}

/** Fields that begin so, then those in which it stands anywhere. */
function fieldsLike(part: string, fields: readonly FilterField[]): FilterField[] {
  const wanted = part.toLowerCase();
  const first = fields.filter(({ name }) => name.startsWith(wanted) && name !== wanted);
  const later = fields.filter(({ name }) => name.includes(wanted) && !name.startsWith(wanted));
  return [...first, ...later].slice(0, MOST);
}

function operatorsOf(
  field: FilterField,
  part: string,
  caret: number,
  known: FilterFields,
  language: string,
): Suggestion[] {
  const signs = [...field.operators, "&&", "||"].filter((sign) => sign.startsWith(part));
  return signs
    .filter((sign) => sign !== part)
    .map((sign) => {
      const about = known.operators.find((one) => one.sign === sign)?.text;
      return place(sign, about ? said(about, language) : "", caret - part.length, caret);
    });
}

function begins(value: string, part: string): boolean {
  const plain = (text: string) => text.replaceAll('"', "").toLowerCase();
  return plain(value).startsWith(plain(part));
}

function place(text: string, about: string, from: number, to: number): Suggestion {
  return { text, about, from, to };
}

/** A text in the reader's language. */
export function said(text: Record<string, string>, language: string): string {
  return text[language] ?? text.en ?? "";
}

/** Put a suggestion in; the caret stands behind it and one space. */
export function accepted(text: string, one: Suggestion): { text: string; caret: number } {
  const rest = text.slice(one.to);
  const gap = rest.startsWith(" ") ? "" : " ";
  return {
    text: text.slice(0, one.from) + one.text + gap + rest,
    caret: one.from + one.text.length + 1,
  };
}

/** A place in characters, as the server counts, in the units of a text field. */
export function unitsAt(text: string, characters: number): number {
  return [...text].slice(0, characters).join("").length;
}

/** Both must hold. */
export function both(old: string, more: string): string {
  const before = old.trim();
  return before === "" ? more : `${grouped(before)} && ${grouped(more)}`;
}

/** The first, and not the second. */
export function without(old: string, less: string): string {
  const before = old.trim();
  return before === "" ? `!(${less})` : `${grouped(before)} && !(${less})`;
}

function grouped(expression: string): string {
  return /\|\||\bor\b/.test(expression) ? `(${expression})` : expression;
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** The field of an address by how it is written; null: it is no address. */
export function addressFilter(address: string): string | null {
  if (MAC.test(address)) return `eth.addr == ${address}`;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) return `ip.addr == ${address}`;
  return address.includes(":") ? `ipv6.addr == ${address}` : null;
}

const PROTOCOLS: Record<string, string> = { ipv4: "ip", ethernet: "eth" };

/** A protocol of the list as a filter; null: the filters do not know it. */
export function protocolFilter(protocol: string, known: FilterFields): string | null {
  const lower = protocol.toLowerCase();
  const name = PROTOCOLS[lower] ?? lower;
  return known.fields.some((field) => field.name === name) ? name : null;
}

/** What a row can be filtered by, with what it is about. */
export function rowFilters(
  row: PacketRow,
  known: FilterFields,
): { about: string; filter: string }[] {
  const found = [
    { about: row.protocol, filter: protocolFilter(row.protocol, known) },
    { about: row.source, filter: addressFilter(row.source) },
    { about: row.destination, filter: addressFilter(row.destination) },
    { about: "", filter: `link == "${row.link}"` },
  ];
  return found.flatMap(({ about, filter }) => (filter === null ? [] : [{ about, filter }]));
}

/** Both directions of the conversation that a packet belongs to; null: it belongs to none. */
export function flowFilter(layers: readonly DecodedLayer[]): string | null {
  const network = layers.findLast(({ protocol }) => protocol === "IPv4" || protocol === "IPv6");
  if (!network) return null;
  const value = (fields: readonly DecodedField[], name: string) =>
    fields.find((field) => field.name === name)?.value.split(" ", 1)[0];
  const address = network.protocol === "IPv4" ? "ip.addr" : "ipv6.addr";
  const ends = ["source", "destination"].map((name) => value(network.fields, name));
  const inner = layers.slice(layers.indexOf(network) + 1);
  const transport = inner.find(({ protocol }) => protocol === "TCP" || protocol === "UDP");
  const port = `${transport?.protocol.toLowerCase()}.port`;
  const ports = transport
    ? ["source_port", "destination_port"].map((name) => value(transport.fields, name))
    : [];
  const told = (field: string) => (one: string | undefined) =>
    one === undefined ? [] : [`${field} == ${one}`];
  return [...ends.flatMap(told(address)), ...ports.flatMap(told(port))].join(" && ");
}
