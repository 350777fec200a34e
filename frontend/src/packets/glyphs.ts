/** Protocol → glyph. Colour never stands alone: each protocol has a shape, a colour and a letter. */

export type GlyphShape =
  | "diamond"
  | "circle"
  | "square"
  | "lock"
  | "triangle"
  | "hexagon"
  | "pill"
  | "chevron"
  | "ring";

/** Keys of the theme's protocol colours. */
export type GlyphColor =
  | "arp"
  | "icmp"
  | "tcp"
  | "tls"
  | "udp"
  | "dns"
  | "dhcp"
  | "routing"
  | "layer2"
  | "other";

export interface Glyph {
  shape: GlyphShape;
  color: GlyphColor;
  letter: string;
}

const TABLE: Record<string, Glyph> = {
  ARP: { shape: "diamond", color: "arp", letter: "A" },
  ICMP: { shape: "circle", color: "icmp", letter: "I" },
  ICMPV6: { shape: "circle", color: "icmp", letter: "6" },
  TCP: { shape: "square", color: "tcp", letter: "T" },
  TLS: { shape: "lock", color: "tls", letter: "S" },
  HTTP: { shape: "lock", color: "tls", letter: "H" },
  UDP: { shape: "triangle", color: "udp", letter: "U" },
  DNS: { shape: "hexagon", color: "dns", letter: "D" },
  DHCP: { shape: "pill", color: "dhcp", letter: "D" },
  DHCPV6: { shape: "pill", color: "dhcp", letter: "6" },
  OSPF: { shape: "chevron", color: "routing", letter: "O" },
  BGP: { shape: "chevron", color: "routing", letter: "B" },
  RIP: { shape: "chevron", color: "routing", letter: "R" },
  STP: { shape: "ring", color: "layer2", letter: "S" },
  RSTP: { shape: "ring", color: "layer2", letter: "S" },
  LLDP: { shape: "ring", color: "layer2", letter: "L" },
  ETHERNET: { shape: "ring", color: "layer2", letter: "E" },
  VLAN: { shape: "ring", color: "layer2", letter: "V" },
  IPV4: { shape: "pill", color: "other", letter: "4" },
  IPV6: { shape: "pill", color: "other", letter: "6" },
};

const ALIAS: Record<string, string> = {
  HTTPS: "TLS",
  SSL: "TLS",
  MDNS: "DNS",
  BOOTP: "DHCP",
  OSPFV3: "OSPF",
  LLC: "ETHERNET",
  "802.1Q": "VLAN",
  MLD: "ICMPV6",
  IGMP: "ICMP",
};

const UNKNOWN: Glyph = { shape: "pill", color: "other", letter: "?" };

/** The glyph of a protocol name as packet rows carry it; any case, unknown names included. */
export function glyphOf(protocol: string): Glyph {
  const key = protocol.toUpperCase();
  return TABLE[ALIAS[key] ?? key] ?? UNKNOWN;
}

/** The protocols that the canvas legend shows, in order. */
export const LEGEND: readonly string[] = [
  "ARP",
  "ICMP",
  "TCP",
  "HTTP",
  "UDP",
  "DNS",
  "DHCP",
  "STP",
];

function polygon(points: [number, number][], size: number): string {
  return `M${points.map(([x, y]) => `${round(x * size)} ${round(y * size)}`).join("L")}Z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function circle(radius: number): string {
  const r = round(radius);
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
}

function rounded(halfWidth: number, halfHeight: number, radius: number): string {
  const [w, h, r] = [round(halfWidth), round(halfHeight), round(radius)];
  const arc = (x: number, y: number) => `A${r} ${r} 0 0 1 ${round(x)} ${round(y)}`;
  return (
    `M${round(-w + r)} ${-h}H${round(w - r)}${arc(w, -h + r)}V${round(h - r)}${arc(w - r, h)}` +
    `H${round(-w + r)}${arc(-w, h - r)}V${round(-h + r)}${arc(-w + r, -h)}Z`
  );
}

/** SVG path of a shape around the origin; `size` is half its nominal extent. The lock and ring have a hole: fill by even-odd. */
export function glyphPath(shape: GlyphShape, size: number): string {
  switch (shape) {
    case "diamond":
      return polygon(
        [
          [0, -1.15],
          [1.15, 0],
          [0, 1.15],
          [-1.15, 0],
        ],
        size,
      );
    case "circle":
      return circle(size * 0.95);
    case "square":
      return rounded(size * 0.9, size * 0.9, size * 0.3);
    case "lock":
      return rounded(size * 0.9, size * 0.9, size * 0.3) + circle(size * 0.36);
    case "triangle":
      return polygon(
        [
          [0, -1.1],
          [1.1, 0.8],
          [-1.1, 0.8],
        ],
        size,
      );
    case "hexagon":
      return polygon(
        [
          [-1, 0],
          [-0.5, -0.9],
          [0.5, -0.9],
          [1, 0],
          [0.5, 0.9],
          [-0.5, 0.9],
        ],
        size,
      );
    case "pill":
      return rounded(size * 1.3, size * 0.65, size * 0.65);
    case "chevron":
      return polygon(
        [
          [-1, -1],
          [0.2, -1],
          [1.1, 0],
          [0.2, 1],
          [-1, 1],
          [-0.1, 0],
        ],
        size,
      );
    case "ring":
      return circle(size * 0.95) + circle(size * 0.5);
  }
}
