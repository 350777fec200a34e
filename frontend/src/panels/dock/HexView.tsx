import { type MouseEvent, memo, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type ByteRange, LINE, onLine, printable } from "./hexMap";

interface Props {
  bytes: Uint8Array;
  selected: ByteRange | null;
  hovered: ByteRange | null;
  onByte: (at: number) => void;
}

function byteOf(event: MouseEvent): number | null {
  const at = event.target instanceof HTMLElement ? event.target.dataset.at : undefined;
  return at === undefined ? null : Number(at);
}

/** The byte that a key leads to from a field: sideways out of it, up and down by lines. */
export function byteFor(key: string, from: ByteRange | null, count: number): number | null {
  const { start, end } = from ?? { start: 0, end: 0 };
  const to = {
    ArrowLeft: start - 1,
    ArrowRight: end,
    ArrowUp: start - LINE,
    ArrowDown: Math.max(end, start + LINE),
  }[key];
  return to === undefined || count === 0 ? null : Math.max(0, Math.min(count - 1, to));
}

/** The captured bytes; a click or the arrow keys choose the innermost field of a byte. */
export function HexView({ bytes, selected, hovered, onByte }: Props) {
  const { t } = useTranslation();
  const lines = Math.ceil(bytes.length / LINE);
  const view = useRef<HTMLDivElement>(null);
  const first = selected === null ? null : Math.floor(selected.start / LINE);
  useEffect(() => {
    if (first !== null) view.current?.children[first]?.scrollIntoView({ block: "nearest" });
  }, [first]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: bytes are no form fields
    <div
      ref={view}
      role="group"
      className="hex mono"
      aria-label={t("decode.bytes", { count: bytes.length })}
      // It scrolls and takes the arrow keys.
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
      tabIndex={0}
      onClick={(event) => {
        const at = byteOf(event);
        if (at !== null) onByte(at);
      }}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const next = byteFor(event.key, selected, bytes.length);
        if (next === null) return;
        event.preventDefault();
        event.stopPropagation();
        onByte(next);
      }}
    >
      {Array.from({ length: lines }, (_, line) => (
        <HexLine
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
          key={line}
          bytes={bytes}
          line={line}
          selected={rangeText(onLine(selected, line))}
          hovered={rangeText(onLine(hovered, line))}
        />
      ))}
    </div>
  );
}

/** As text, so that an unchanged line is not rendered anew. */
function rangeText(range: ByteRange | null): string {
  return range === null ? "" : `${range.start}-${range.end}`;
}

function holds(range: string, column: number): boolean {
  if (range === "") return false;
  const [start = 0, end = 0] = range.split("-").map(Number);
  return column >= start && column < end;
}

interface LineProps {
  bytes: Uint8Array;
  line: number;
  selected: string;
  hovered: string;
}

const HexLine = memo(function HexLine({ bytes, line, selected, hovered }: LineProps) {
  const start = line * LINE;
  const columns = Array.from(bytes.subarray(start, start + LINE));
  const look = (column: number) =>
    holds(selected, column) ? "on" : holds(hovered, column) ? "near" : undefined;
  return (
    <div className="hex-line">
      <span className="hex-offset">{start.toString(16).padStart(4, "0")}</span>
      <span className="hex-bytes">
        {columns.map((byte, column) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a byte is its place
          <span key={column} data-at={start + column} className={look(column)}>
            {byte.toString(16).padStart(2, "0")}
          </span>
        ))}
      </span>
      <span className="hex-text" aria-hidden="true">
        {columns.map((byte, column) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a byte is its place
          <span key={column} data-at={start + column} className={look(column)}>
            {printable(byte)}
          </span>
        ))}
      </span>
    </div>
  );
});
