/** What the kernel holds without being drawn, because a protocol brought it: never drift. */

import type { LiveNode, LiveRoute } from "./live";
import type { Topology } from "./model";

export type Origin = "dhcp" | "ra";

export interface LearnedAddress {
  port: string; // name of the interface
  address: string; // with prefix length
  origin: Origin;
}

const LEARNED_ROUTES: ReadonlySet<string> = new Set([
  ...["ra", "dhcp"],
  ...["zebra", "ospf", "bgp", "rip", "isis", "babel", "eigrp"],
]);

export function isLearnedRoute({ proto }: LiveRoute): boolean {
  return LEARNED_ROUTES.has(proto);
}

/** fe80::/10: every interface makes its own. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

/**
 * Addresses that are not drawn and are no drift either: IPv4 on an interface that asks a DHCP
 * server, IPv6 from router advertisements.
 */
export function learnedAddresses(
  topology: Topology,
  node: string,
  now: LiveNode,
): LearnedAddress[] {
  const drift = new Map(now.drift.map(({ path, actual }) => [path, actual]));
  return Object.entries(now.interfaces).flatMap(([port, live]) => {
    const drawn = live.id === null ? undefined : topology.interfaces[live.id];
    if (drawn?.node !== node) return [];
    const adrift = drift.get(`interfaces/${port}/addresses`);
    const known = [...drawn.addresses, ...(Array.isArray(adrift) ? adrift : [])];
    const unknown = live.addresses.filter(
      (address) => !known.includes(address) && !isLinkLocal(address),
    );
    return unknown.flatMap((address): LearnedAddress[] => {
      const origin: Origin = address.includes(":") ? "ra" : "dhcp";
      return origin === "dhcp" && !drawn.dhcp ? [] : [{ port, address, origin }];
    });
  });
}
