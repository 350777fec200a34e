import type { ReactNode } from "react";

const fine = { strokeWidth: 1.5 };

/** Our own glyphs on a 24 × 24 grid. */
const ICONS = {
  host: (
    <>
      <rect x="3" y="4" width="18" height="12" rx="2" />
      <path d="M8 20h8M12 16v4" />
    </>
  ),
  router: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path
        d="M12 5v5m0 4v5M10 7l2-2 2 2M10 17l2 2 2-2M19 12h-5m-4 0H5m12-2 2 2-2 2M7 10l-2 2 2 2"
        {...fine}
      />
    </>
  ),
  switch: (
    <>
      <rect x="2.5" y="6" width="19" height="12" rx="2" />
      <path d="M6 10h9m0 0-2-2m2 2-2 2M18 14.5H9m0 0 2-2m-2 2 2 2" {...fine} />
    </>
  ),
  uplink: (
    <path d="M7 18Q2.5 18 2.5 13.6 2.5 9.8 6.4 9.1 7.4 4.5 12 4.5 16.6 4.5 17.7 8.6 21.8 9.2 21.8 13.4 21.8 18 17.3 18Z" />
  ),
  service: (
    <>
      <circle cx="12" cy="12" r="3.2" />
      <path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2" />
    </>
  ),
  terminal: (
    <>
      <rect x="2.5" y="4" width="19" height="16" rx="2" />
      <path d="m6.5 9 3 3-3 3M12 15h5" />
    </>
  ),
  bell: <path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15ZM10 20.5h4" />,
  speech: <path d="M4 5h16v11h-9l-4 4v-4H4ZM8 9.5h8M8 12.5h5" />,
  splitRight: (
    <>
      <rect x="3" y="4" width="18" height="16" rx="2" />
      <path d="M12 4v16M16.5 10v4M14.5 12h4" />
    </>
  ),
  splitBelow: (
    <>
      <rect x="3" y="4" width="18" height="16" rx="2" />
      <path d="M3 12h18M12 14v4M10 16h4" />
    </>
  ),
  cable: (
    <>
      <path d="M4 20c0-8 16-8 16-16" />
      <circle cx="4" cy="20" r="2" />
      <circle cx="20" cy="4" r="2" />
    </>
  ),
  note: (
    <>
      <path d="M4 4h16v11l-5 5H4Z" />
      <path d="M15 20v-5h5M8 9h8M8 13h4" />
    </>
  ),
  group: <rect x="3" y="3" width="18" height="18" rx="3" strokeDasharray="4 3" />,
  undo: <path d="M9 7H5V3M5 7c2-3 5-4 8-4a8 8 0 1 1-8 9" />,
  redo: <path d="M15 7h4V3M19 7c-2-3-5-4-8-4a8 8 0 1 0 8 9" />,
  play: <path d="M7 4v16l13-8Z" fill="currentColor" />,
  pause: <path d="M8 5v14M16 5v14" strokeWidth={3} />,
  previous: <path d="M18 5v14L8 12ZM6 5v14" fill="currentColor" />,
  next: <path d="M6 5v14l10-7ZM18 5v14" fill="currentColor" />,
  stop: <rect x="6" y="6" width="12" height="12" fill="currentColor" />,
  layout: (
    <>
      <circle cx="12" cy="5" r="2.5" />
      <circle cx="5" cy="19" r="2.5" />
      <circle cx="19" cy="19" r="2.5" />
      <path d="M12 8v4m0 0-6 5m6-5 6 5" />
    </>
  ),
  search: (
    <>
      <circle cx="11" cy="11" r="6" />
      <path d="m16 16 5 5" />
    </>
  ),
  moon: <path d="M20 14A8 8 0 1 1 10 4a7 7 0 0 0 10 10Z" />,
  sun: (
    <>
      <circle cx="12" cy="12" r="4.2" />
      <path d="M12 2.5v2.6M12 18.9v2.6M2.5 12h2.6M18.9 12h2.6M5.3 5.3l1.8 1.8M16.9 16.9l1.8 1.8M5.3 18.7l1.8-1.8M16.9 7.1l1.8-1.8" />
    </>
  ),
  language: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18" />
    </>
  ),
  plus: <path d="M12 5v14M5 12h14" />,
  minus: <path d="M5 12h14" />,
  fit: <path d="M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  check: <path d="m5 12.5 4.5 4.5L19 7" />,
  up: <path d="m6 14.5 6-6 6 6" />,
  more: <path d="M12 5v.1M12 12v.1M12 19v.1" strokeWidth={3} />,
  down: <path d="m6 9.5 6 6 6-6" />,
  right: <path d="m9.5 6 6 6-6 6" />,
  warning: (
    <>
      <path d="M12 3.5 22 20H2Z" />
      <path d="M12 10v4.5M12 17.4v.1" />
    </>
  ),
  error: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 7v6M12 16.4v.1" />
    </>
  ),
  trash: <path d="M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5" />,
  copy: (
    <>
      <rect x="8" y="8" width="12" height="12" rx="2" />
      <path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" />
    </>
  ),
  cut: (
    <>
      <circle cx="6" cy="18" r="2.5" />
      <circle cx="18" cy="18" r="2.5" />
      <path d="M8 16.5 18 4M16 16.5 6 4" />
    </>
  ),
  paste: (
    <>
      <rect x="5" y="5" width="14" height="16" rx="2" />
      <path d="M9 5V3h6v2" />
    </>
  ),
  probe: (
    <>
      <circle cx="12" cy="12" r="2.2" fill="currentColor" />
      <path d="M7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4M5 19a10 10 0 0 1 0-14M19 5a10 10 0 0 1 0 14" />
    </>
  ),
  trace: (
    <>
      <circle cx="5" cy="18" r="2.4" />
      <path d="M7.4 18H13a3.5 3.5 0 0 0 0-7h-2a3.5 3.5 0 0 1 0-7h3M17 2l4 4M21 2l-4 4" />
    </>
  ),
  download: <path d="M12 4v11m0 0-4.5-4.5M12 15l4.5-4.5M4 20h16" />,
  link: (
    <path d="M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1" />
  ),
  filter: <path d="M4 5h16l-6.5 7.5V19l-3-1.5v-5Z" />,
  upload: <path d="M12 15V4m0 0L7.5 8.5M12 4l4.5 4.5M4 20h16" />,
  keyboard: (
    <>
      <rect x="2.5" y="6" width="19" height="12" rx="2" />
      <path d="M6 10h.1M10 10h.1M14 10h.1M18 10h.1M8 14h8" />
    </>
  ),
  power: <path d="M12 3v8M6.5 7a8 8 0 1 0 11 0" />,
  plan: <path d="M9 6h11M9 12h11M9 18h11M4 6h.1M4 12h.1M4 18h.1" />,
  panel: (
    <>
      <rect x="3" y="4" width="18" height="16" rx="2" />
      <path d="M15 4v16" />
    </>
  ),
  move: (
    <path d="M12 3v18M3 12h18M9.5 5.5 12 3l2.5 2.5M9.5 18.5 12 21l2.5-2.5M5.5 9.5 3 12l2.5 2.5M18.5 9.5 21 12l-2.5 2.5" />
  ),
  rename: <path d="M4 20h4L19 9l-4-4L4 16ZM13 7l4 4" />,
  select: <path d="M5 3l6 16 2.2-6.8L20 10Z" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof ICONS;

interface IconProps {
  name: IconName;
  size?: number;
  className?: string;
}

/** Decorative: the control around it carries the name. */
export function Icon({ name, size = 16, className }: IconProps) {
  return (
    <svg
      className={className}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.9}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {ICONS[name]}
    </svg>
  );
}

export function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect width="24" height="24" rx="6" fill="#2456d6" />
      <path d="M7 8.2 17 7M7 8.2 12 17M17 7l-5 10" stroke="#fff" strokeWidth="1.7" />
      <circle cx="7" cy="8.2" r="2.4" fill="#fff" />
      <circle cx="17" cy="7" r="2.4" fill="#fff" />
      <circle cx="12" cy="17" r="2.4" fill="#fff" />
    </svg>
  );
}
