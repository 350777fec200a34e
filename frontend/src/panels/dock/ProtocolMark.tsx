import { glyphOf, glyphPath } from "../../packets/index";

/** A protocol's name in its colour, with its glyph's shape before it. */
export function ProtocolMark({ protocol }: { protocol: string }) {
  const glyph = glyphOf(protocol);
  return (
    <span className={`protocol glyph ${glyph.color}`}>
      <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
        <path d={glyphPath(glyph.shape, 4.6)} fillRule="evenodd" />
      </svg>
      {protocol}
    </span>
  );
}
