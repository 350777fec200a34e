/** Display filters as the server knows them: a documented subset of Wireshark's (docs/filters.md). */

type Words = Record<string, string>; // by language

export interface FilterError {
  code: string;
  position: number; // in characters (code points) of the expression
  length: number;
  text: Words;
  hint: Words;
  suggestions: string[]; // may replace the marked part as they are
}

export interface FilterCheck {
  ok: boolean;
  error: FilterError | null;
  fields: string[];
  late: boolean; // rows may come when the packet's verdict does
}

export interface FilterField {
  name: string;
  kind: string;
  text: Words;
  example: string;
  values: string[]; // choices in the form to insert
  operators: string[];
}

export interface FilterFields {
  fields: FilterField[];
  operators: { sign: string; words: string[]; text: Words }[];
}

/** A field of tshark's tree: `label` says it all; `filter` is empty where our filters lack it. */
export interface TsharkField {
  name: string;
  label: string;
  start: number;
  end: number;
  filter: string;
  fields: TsharkField[];
}

export interface TsharkTree {
  version: string;
  more: number; // fields that are left out
  layers: TsharkField[];
}
