import type { GlyphColor } from "../packets/glyphs";
import type { GlyphKind } from "./contract";

/** Colours of the canvas; the same tokens as the page's (theme/tokens.css). */
export interface Theme {
  name: "light" | "dark";
  canvas: string;
  dot: string;
  node: string;
  panel: string;
  line: string;
  line2: string;
  text: string;
  text2: string;
  accent: string;
  ok: string;
  warn: string;
  bad: string;
  onBad: string;
  drift: string;
  pending: string;
  cable: string;
  off: string;
  shadow: string;
  note: { fill: string; edge: string; text: string };
  protocol: Record<GlyphColor, string>;
  group: Record<string, { fill: string; edge: string }>;
}

const NOTE = { fill: "#fde68a", edge: "#d9a514", text: "#533f03" };

const LIGHT: Theme = {
  name: "light",
  canvas: "#fbfcfd",
  dot: "#d5dbe3",
  node: "#ffffff",
  panel: "#ffffff",
  line: "#e2e6ec",
  line2: "#cbd2dc",
  text: "#0f172a",
  text2: "#475569",
  accent: "#2456d6",
  ok: "#15803d",
  warn: "#b45309",
  bad: "#c81e1e",
  onBad: "#ffffff",
  drift: "#7e22ce",
  pending: "#0369a1",
  cable: "#64748b",
  off: "#828c9a",
  shadow: "#0f172a22",
  note: NOTE,
  protocol: {
    arp: "#b45309",
    icmp: "#7c3aed",
    tcp: "#2456d6",
    tls: "#0e7490",
    udp: "#0f766e",
    dns: "#15803d",
    dhcp: "#be185d",
    routing: "#a21caf",
    layer2: "#475569",
    other: "#475569",
  },
  group: {
    blue: { fill: "#e8eefc", edge: "#2456d6" },
    teal: { fill: "#e6f6f1", edge: "#0f766e" },
    orange: { fill: "#fdf3e3", edge: "#b45309" },
    violet: { fill: "#f2ecfd", edge: "#7c3aed" },
    grey: { fill: "#eff2f6", edge: "#475569" },
  },
};

const DARK: Theme = {
  name: "dark",
  canvas: "#0d121c",
  dot: "#1f2838",
  node: "#182033",
  panel: "#121826",
  line: "#222c3d",
  line2: "#34415a",
  text: "#e8edf5",
  text2: "#a9b4c6",
  accent: "#7aa2ff",
  ok: "#4ade80",
  warn: "#fbbf24",
  bad: "#ff7b72",
  onBad: "#2a0b0a",
  drift: "#d8a4ff",
  pending: "#67c8f8",
  cable: "#7f8da5",
  off: "#66748d",
  shadow: "#00000066",
  note: NOTE,
  protocol: {
    arp: "#fbbf24",
    icmp: "#b794ff",
    tcp: "#7aa2ff",
    tls: "#22d3ee",
    udp: "#2dd4bf",
    dns: "#4ade80",
    dhcp: "#f472b6",
    routing: "#e879f9",
    layer2: "#a9b4c6",
    other: "#a9b4c6",
  },
  group: {
    blue: { fill: "#152039", edge: "#7aa2ff" },
    teal: { fill: "#10261f", edge: "#2dd4bf" },
    orange: { fill: "#2a2012", edge: "#fbbf24" },
    violet: { fill: "#1f1838", edge: "#b794ff" },
    grey: { fill: "#171e2b", edge: "#a9b4c6" },
  },
};

export const THEMES = { light: LIGHT, dark: DARK } as const;

/** Names that a group's `color` may have; anything else is drawn grey. */
export const GROUP_COLORS = ["blue", "orange", "teal", "violet", "grey"] as const;

const KIND_COLOR: Record<GlyphKind, GlyphColor> = {
  host: "tcp",
  router: "icmp",
  switch: "udp",
  uplink: "tls",
};

export function kindColor(theme: Theme, kind: GlyphKind): string {
  return theme.protocol[KIND_COLOR[kind]];
}

export function groupColor(theme: Theme, name: string): { fill: string; edge: string } {
  return theme.group[name] ?? theme.group.grey ?? { fill: theme.panel, edge: theme.text2 };
}

const CJK = '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei"';
const SANS = `"Inter Variable", Inter, ${CJK}, system-ui, sans-serif`;
const MONO = `"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, ${CJK}, monospace`;

/** CSS fonts by use; sizes in world px, as in the mock. */
export const FONT = {
  name: `650 12.5px ${SANS}`,
  address: `400 10.4px ${MONO}`,
  port: `400 9.6px ${MONO}`,
  rate: `450 10.8px ${SANS}`,
  badge: `600 10.8px ${SANS}`,
  mark: `800 12px ${SANS}`,
  group: `650 12.5px ${SANS}`,
  note: `450 11.5px ${SANS}`,
  noteTitle: `600 11.5px ${SANS}`,
  callout: `600 11.5px ${SANS}`,
  letter: `700 8px ${SANS}`,
  service: `750 9.5px ${SANS}`,
} as const;
