/** Checks of what a user types as an address, before the server has the last word. */

/** Four octets. No leading zeros: they read as octal elsewhere (RFC 6943 §3.1.1). */
export function isIpv4(text: string): boolean {
  const octets = text.split(".");
  return (
    octets.length === 4 && octets.every((one) => /^(0|[1-9]\d{0,2})$/.test(one) && +one <= 255)
  );
}

/** RFC 4291 §2.2, embedded IPv4 included. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2 || text === "") return false;
  let words = 0;
  for (const half of halves) {
    const groups = half === "" ? [] : half.split(":");
    for (const [at, group] of groups.entries()) {
      const embedded = at === groups.length - 1 && half === halves.at(-1) && isIpv4(group);
      if (!embedded && !/^[0-9a-fA-F]{1,4}$/.test(group)) return false;
      words += embedded ? 2 : 1;
    }
  }
  return halves.length === 2 ? words <= 7 : words === 8;
}

function splitPrefix(text: string): { address: string; length: number } | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  return match?.[1] && match[2] ? { address: match[1], length: Number(match[2]) } : null;
}

/** An i18n key saying why `text` is no address with prefix length; null when it is one. */
export function prefixProblem(text: string): string | null {
  const bare = isIpv4(text) || isIpv6(text);
  if (bare) return "fields.prefixLength";
  const split = splitPrefix(text);
  if (!split) return "fields.address";
  const longest = isIpv4(split.address) ? 32 : isIpv6(split.address) ? 128 : -1;
  if (longest < 0) return "fields.address";
  return split.length <= longest ? null : longest === 32 ? "fields.prefix4" : "fields.prefix6";
}

export function addressProblem(text: string): string | null {
  return isIpv4(text) || isIpv6(text) ? null : "fields.nextHop";
}

export function macProblem(text: string): string | null {
  if (!/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text)) return "fields.mac";
  return Number.parseInt(text.slice(0, 2), 16) & 1 ? "fields.macMulticast" : null;
}
