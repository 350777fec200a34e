"""Every problem the core can name: its stable code, severity and English words.

The code is the i18n key ``problem.<code>``; translations use the same ``{params}``.
"""

from __future__ import annotations

from topoweb.core.topology.problem import Problem
from topoweb.core.topology.validate.code import Code
from topoweb.core.topology.validate.code import warning as _warning
from topoweb.core.topology.validate.interface_codes import INTERFACES

STRUCTURE = {
    "wrong-type": Code(
        "{expected} is expected here, not {actual}.", "Change the value to {expected}."
    ),
    "unknown-format": Code(
        "This is not a topoweb document.", 'The property "format" must be "topoweb".'
    ),
    "unknown-version": Code(
        "Version {version} of the document is not known.",
        "This program reads up to version {newest}; update it, or export again.",
    ),
    "unknown-property": Code("There is no property {property} here.", "Remove it."),
    "missing-property": Code("The property {property} is missing.", "Add it."),
    "bad-choice": Code("{value} is not one of the choices.", "Choose one of: {choices}."),
    "bad-id": Code(
        "{value} cannot be an id.", "Use 1 to 40 of the characters A-Z a-z 0-9 _ and -."
    ),
    "text-too-long": Code(
        "The text has {length} characters; {limit} are allowed.", "Shorten the text."
    ),
    "text-unprintable": Code(
        "The text contains {character}, which cannot be shown or stored.",
        "Remove the control character.",
    ),
    "name-empty": Code("The name is empty.", "Give it a name."),
    "name-too-long": Code(
        "The name {name} has {length} bytes; the kernel allows {limit}.",
        "Shorten the name. A Chinese character takes 3 bytes.",
    ),
    "out-of-range": Code("{value} is out of range.", "Choose a number between {low} and {high}."),
    "bad-address": Code(
        "{value} is not an interface address.",
        "Write address and prefix length, like 10.0.1.11/24 or 2001:db8::1/64.",
    ),
    "address-repeated": Code("{value} is listed twice.", "Remove one of the two."),
    "bad-prefix": Code(
        "{value} is not a prefix.", "Write a network like 10.0.2.0/24, 0.0.0.0/0 or ::/0."
    ),
    "bad-next-hop": Code(
        "{value} is not an address.", "Write an address without a length, like 10.0.1.1."
    ),
    "bad-mac": Code(
        "{value} is not a MAC address.", "Write six hexadecimal bytes, like 02:00:00:00:00:01."
    ),
    "dangling-reference": Code(
        "This refers to {id}, which {collection} does not have.",
        "Name one that exists, or add it first.",
    ),
    "port-in-use": Code(
        "The interface {interface} has the cable {link} already.",
        "Use another interface, or remove that cable first.",
    ),
    "link-to-itself": Code(
        "Both ends of the cable are the interface {interface}.",
        "Choose another interface for one end.",
    ),
    "parent-loop": Code(
        "The interface {interface} would hang on itself.", "Choose another parent."
    ),
    "too-many": Code(
        "There are {count} {collection}; {limit} are allowed.", "Split the drawing in two labs."
    ),
    "too-many-problems": Code(
        "There are more than {limit} problems; the rest is not listed.",
        "Mend these, then check again.",
    ),
}

OPERATIONS = {
    "unknown-operation": Code("There is no operation {kind}.", "Use one of: {choices}."),
    "unknown-collection": Code("There is no collection {collection}.", "Use one of: {choices}."),
    "duplicate-id": Code(
        "{collection} has an object {id} already.", "Choose a new id, or change that object."
    ),
    "no-such-object": Code(
        "{collection} has no object {id}.", "It may have been removed by somebody else; look again."
    ),
}

NAMES = {
    "name-forbidden-character": Code(
        "The name {name} contains {character}.",
        "The kernel and its tools take no slash, colon, percent sign or white space in a name.",
    ),
    "name-starts-with-dash": Code(
        "The name {name} starts with a dash.", "Programs would take it for an option."
    ),
    "name-dots": Code("A name cannot be {name}.", "The dots mean directories to the kernel."),
    "name-reserved": Code(
        "The interface name {name} is reserved.", "The kernel uses it itself; choose another."
    ),
    "name-duplicate": Code(
        "The name {name} is taken by {other}.",
        "Give each its own name: commands find things by name.",
    ),
}

ADDRESSES = {
    "address-unusable": Code(
        "{address} cannot be the address of an interface.",
        "It is a multicast, broadcast, loopback or all-zero address; use one of a subnet.",
    ),
    "address-is-network": Code(
        "{address} is the network's own address.", "The first host address is {usable}."
    ),
    "address-is-broadcast": Code(
        "{address} is the broadcast address of its network.",
        "The last host address is {usable}.",
    ),
    "address-duplicate": _warning(
        "{address} is also the address of {other}.",
        "Packets will reach one or the other by chance; change one of them.",
    ),
    "address-public": _warning(
        "{address} belongs to somebody on the Internet.",
        "Use private ranges (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7) or those for"
        " documentation (192.0.2.0/24, 2001:db8::/32): RFC 1918, 5737, 3849, 4193.",
    ),
    "address-on-port": _warning(
        "The bridge port {name} has the address {address}.",
        "Packets to a port go to its bridge: put the address on the switch itself.",
    ),
    "ipv6-mtu": Code(
        "IPv6 needs an MTU of 1280 or more; {name} has {mtu}.",
        "Raise the MTU, or remove the IPv6 address (RFC 8200, section 5).",
    ),
    "mac-multicast": Code(
        "{mac} is a multicast address.", "The first byte must be even, as in 02:00:00:00:00:01."
    ),
    "mac-zero": Code("A MAC address of zeros is none.", "Leave it empty: one is made."),
    "mac-duplicate": _warning(
        "{mac} is also the MAC of {other}.", "A switch between them will confuse the two."
    ),
}

LINKS = {
    "interface-without-cable": _warning(
        "{name} has no cable, so it does not exist in the kernel yet.",
        "A veth end needs a peer: draw a cable, or remove the interface.",
    ),
    "mtu-mismatch": _warning(
        "The ends of the cable have different MTUs: {a} and {b}.",
        "Packets larger than the smaller one are dropped without a word; set both alike.",
    ),
    "loopback-down": _warning(
        "The loopback of {name} is down.", "{name} cannot even reach its own addresses then."
    ),
    "property-without-effect": _warning(
        "{property} has no effect on a {kind}.", "Only a switch has it."
    ),
    "bridge-ports": Code(
        "{name} has {count} ports; the kernel's bridge takes {limit}.",
        "Use two switches with a cable between them.",
    ),
    "switch-loop": _warning(
        "This cable closes a loop of switches without spanning tree.",
        "Broadcasts would circle for ever. Turn STP on at one of them, or remove a cable.",
    ),
}

ROUTES = {
    "route-without-target": Code(
        "The route to {prefix} leads nowhere.", "Give a next hop, a device, or both."
    ),
    "route-family": Code(
        "The next hop {via} and the prefix {prefix} are of different families.",
        "Use an IPv4 next hop for an IPv4 prefix, IPv6 for IPv6.",
    ),
    "route-off-link": Code(
        "Nexthop has invalid gateway: {via} is in no network of {node}.",
        "The next hop must be a neighbour. {node} is attached to: {networks}.",
    ),
    "route-inactive": _warning(
        "The route to {prefix} has no effect: its interface is down or has no cable.",
        "Set the interface up, or draw its cable; the kernel drops routes of downed interfaces.",
    ),
    "route-via-self": Code("The next hop {via} is {node} itself.", "Name the neighbour's address."),
    "next-hop-unusable": Code(
        "Nexthop has invalid gateway: {via} is a broadcast or multicast address.",
        "Name the address of one neighbour.",
    ),
    "route-duplicate": Code(
        "{node} has a route to {prefix} with metric {metric} already ({other}).",
        "Remove one, or give them different metrics.",
    ),
    "route-foreign-device": Code(
        "{device} is an interface of {owner}, not of {node}.", "Choose one of its own interfaces."
    ),
    "route-device-needed": Code(
        "The link-local next hop {via} needs an interface.",
        "fe80:: addresses exist on every link: choose the device too.",
    ),
    "route-loop": _warning(
        "{node} and {other} send packets for {prefix} to each other.",
        "They circle until their TTL is used up; one of the two must point elsewhere.",
    ),
}

UPLINKS = {
    "uplink-second": Code(
        "{name} is a second uplink; {other} is there already.",
        "A lab has one way out: cable this network to {other}, and remove {name}.",
    ),
    "uplink-ipv6": _warning(
        "{name} carries IPv4 only.", "IPv6 packets end there; use IPv4 for what goes out."
    ),
    "uplink-default-route": Code(
        "{name} has a default route of its own: the way out.",
        "Remove this route; draw routes to the networks of the lab only.",
    ),
    "uplink-service": Code(
        "{name} belongs to the host: nothing runs in it.", "Move this to a host or a router."
    ),
    "uplink-not-granted": Code(
        "{name} is a way to the Internet, and this lab has no grant for it.",
        "Ask your teacher to grant it, or remove {name}: the rest of the lab can run.",
    ),
    "uplink-unsupported": Code(
        "This host cannot open {name}: {reason}.",
        "{remedy} The rest of the lab can run without {name}.",
    ),
}

SERVICES = {
    "bad-ipv4": Code("{value} is not an IPv4 address.", "Write four numbers, like 10.0.1.50."),
    "bad-ipv4-prefix": Code(
        "{value} is not an IPv4 prefix.", "OSPF version 2 and RIP carry IPv4: write 10.0.1.0/24."
    ),
    "bad-domain": Code(
        "{value} is not a name for DNS.",
        "Use letters, digits and dashes between dots, like www.lab (RFC 1123, section 2.1).",
    ),
    "service-interface": _warning(
        "The service's interface is none of {node}'s own, so the service does not start.",
        "Choose an interface of {node} that is not a port of its bridge.",
    ),
    "service-claimed-twice": Code(
        "{node} has two services for {claim}.", "Only one can have it: turn the other one off."
    ),
    "dhcp-range-empty": Code(
        "The range {first} to {last} is empty.", "The last address must not be before the first."
    ),
    "dhcp-range-off-link": Code(
        "The range {first} to {last} is not within the network of {interface}.",
        "A server leases addresses of the interface's own network; it has: {networks}.",
    ),
    "dhcp-gateway-off-link": _warning(
        "The gateway {gateway} is not in the network that is leased.",
        "The clients cannot reach it; leave it empty for the interface's own address.",
    ),
    "dhcp-on-port": _warning(
        "The bridge port {name} asks for an address by DHCP.",
        "Packets to a port go to its bridge, so no answer comes; turn DHCP off.",
    ),
    "dhcp-beside-static": _warning(
        "{name} has the address {address} and asks for another one by DHCP.",
        "Both will be there; remove one of the two.",
    ),
    "dns-name-skipped": _warning(
        "DNS cannot hold the node name {name}, so it is not answered.",
        "Names in DNS have letters, digits and dashes only.",
    ),
    "ra-without-prefix": _warning(
        "{interface} has no IPv6 prefix of length 64, so hosts cannot address themselves.",
        "Give it an address like 2001:db8:1::1/64 (RFC 4862).",
    ),
    "ra-dns-family": Code(
        "The name server {address} is not an IPv6 address.",
        "Router advertisements carry IPv6 name servers only (RFC 8106).",
    ),
    "frr-without-interfaces": _warning(
        "{node} has no interface, so there is nothing to route.", "Connect it first."
    ),
    "frr-not-forwarding": _warning(
        "{node} learns routes but does not forward packets.", "Turn forwarding on."
    ),
    "frr-prefix-unused": _warning(
        "No interface of {node} has an address in {prefix}.",
        "A routing protocol speaks on interfaces whose address lies in one of its prefixes.",
    ),
    "command-empty": _warning("The command is empty.", "Write what shall run."),
}

CODES: dict[str, Code] = {
    **STRUCTURE,
    **OPERATIONS,
    **NAMES,
    **ADDRESSES,
    **LINKS,
    **INTERFACES,
    **ROUTES,
    **SERVICES,
    **UPLINKS,
}


def all_codes() -> tuple[str, ...]:
    """Return every code, sorted: what a translation must cover."""
    return tuple(sorted(CODES))


def problem(code: str, path: str, **params: object) -> Problem:
    """Return the problem ``code`` at JSON pointer ``path``. KeyError for an unlisted code."""
    entry = CODES[code]
    words = {name: str(value) for name, value in params.items()}
    return Problem(
        code,
        path,
        entry.message.format_map(words),
        entry.hint.format_map(words),
        entry.severity,
        tuple(words.items()),
    )
