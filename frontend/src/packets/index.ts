export { Choreographer, type Playout } from "./choreographer";
export { type Glyph, type GlyphColor, type GlyphShape, glyphOf, glyphPath, LEGEND } from "./glyphs";
export {
  type Direction,
  type EndsOf,
  type LinkEnds,
  type PacketRow,
  type PacketsPayload,
  parseRow,
  type WireRow,
} from "./rows";
export { type PacketFilter, PacketStore } from "./store";
