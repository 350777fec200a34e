/** Object and operation ids: `[A-Za-z0-9_-]{1,40}`, made by whoever draws. */

import type { Collection } from "./model";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const PREFIX: Record<Collection, string> = {
  nodes: "n",
  interfaces: "i",
  links: "l",
  routes: "r",
  notes: "t",
  groups: "g",
  services: "s",
};

function random(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** A new object id; 12 random characters keep two browsers from choosing the same one. */
export function newId(collection: Collection): string {
  return PREFIX[collection] + random(12);
}

/** A new operation id. */
export function newOpId(): string {
  return `o${random(20)}`;
}
