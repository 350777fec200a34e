import { drawStamp, type Pen, type Stamp, type Surface } from "./pen";

interface Style {
  fillStyle: Pen["fillStyle"];
  strokeStyle: Pen["strokeStyle"];
  lineWidth: number;
  lineCap: CanvasLineCap;
  lineJoin: CanvasLineJoin;
  globalAlpha: number;
  font: string;
  textAlign: CanvasTextAlign;
  dash: number[];
  transform: string;
}

const ANCHOR: Record<CanvasTextAlign, string> = {
  left: "start",
  start: "start",
  center: "middle",
  right: "end",
  end: "end",
};

/** Writes down what a draw pass does, as SVG elements. Text is escaped. */
export class SvgPen implements Pen, Surface {
  readonly pen: Pen = this;
  fillStyle: Pen["fillStyle"] = "#000";
  strokeStyle: Pen["strokeStyle"] = "#000";
  lineWidth = 1;
  lineCap: CanvasLineCap = "butt";
  lineJoin: CanvasLineJoin = "miter";
  globalAlpha = 1;
  font = "12px sans-serif";
  textAlign: CanvasTextAlign = "left";
  private dash: number[] = [];
  private transform = "";
  private path = "";
  private readonly saved: Style[] = [];
  private readonly elements: string[] = [];

  /** All that was drawn, in order. */
  markup(): string {
    return this.elements.join("\n");
  }

  stamp(stamp: Stamp, x: number, y: number): void {
    drawStamp(this, stamp, x, y);
  }

  save(): void {
    const { fillStyle, strokeStyle, lineWidth, lineCap, lineJoin } = this;
    const { globalAlpha, font, textAlign, dash, transform } = this;
    this.saved.push({
      fillStyle,
      strokeStyle,
      lineWidth,
      lineCap,
      lineJoin,
      globalAlpha,
      font,
      textAlign,
      dash,
      transform,
    });
  }

  restore(): void {
    Object.assign(this, this.saved.pop());
  }

  translate(x: number, y: number): void {
    this.transform += `translate(${num(x)} ${num(y)})`;
  }

  scale(x: number, y: number): void {
    this.transform += `scale(${num(x)} ${num(y)})`;
  }

  beginPath(): void {
    this.path = "";
  }

  closePath(): void {
    this.path += "Z";
  }

  moveTo(x: number, y: number): void {
    this.path += `M${num(x)} ${num(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.path += `${this.path ? "L" : "M"}${num(x)} ${num(y)}`;
  }

  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void {
    this.path += `Q${num(cx)} ${num(cy)} ${num(x)} ${num(y)}`;
  }

  /** Whole circles only, which is all that the passes draw. */
  arc(x: number, y: number, radius: number, _from: number, _to: number): void {
    const r = num(radius);
    this.path +=
      `M${num(x - radius)} ${num(y)}A${r} ${r} 0 1 1 ${num(x + radius)} ${num(y)}` +
      `A${r} ${r} 0 1 1 ${num(x - radius)} ${num(y)}Z`;
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.path += `M${num(x)} ${num(y)}h${num(width)}v${num(height)}h${num(-width)}Z`;
  }

  roundRect(
    x: number,
    y: number,
    width: number,
    height: number,
    radii?: number | DOMPointInit | (number | DOMPointInit)[],
  ): void {
    const wanted = typeof radii === "number" ? radii : 0;
    const radius = Math.min(wanted, width / 2, height / 2);
    const arc = (dx: number, dy: number) =>
      `a${num(radius)} ${num(radius)} 0 0 1 ${num(dx)} ${num(dy)}`;
    this.path +=
      `M${num(x + radius)} ${num(y)}h${num(width - 2 * radius)}${arc(radius, radius)}` +
      `v${num(height - 2 * radius)}${arc(-radius, radius)}h${num(2 * radius - width)}` +
      `${arc(-radius, -radius)}v${num(2 * radius - height)}${arc(radius, -radius)}Z`;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }

  fill(): void {
    this.element("path", `d="${this.path}" ${this.fillAttributes()}`);
  }

  stroke(): void {
    this.element("path", `d="${this.path}" fill="none" ${this.strokeAttributes()}`);
  }

  fillText(text: string, x: number, y: number): void {
    this.text(text, x, y, this.fillAttributes());
  }

  strokeText(text: string, x: number, y: number): void {
    this.text(text, x, y, `fill="none" ${this.strokeAttributes()}`);
  }

  setLineDash(segments: Iterable<number>): void {
    this.dash = [...segments];
  }

  private text(text: string, x: number, y: number, paint: string): void {
    const [, weight = "400", size = "12", family = "sans-serif"] =
      /^(\d+)?\s*([\d.]+)px\s+(.*)$/.exec(this.font) ?? [];
    const font =
      `font-family="${escapeXml(family)}" font-size="${size}" font-weight="${weight}" ` +
      `text-anchor="${ANCHOR[this.textAlign]}"`;
    this.element("text", `x="${num(x)}" y="${num(y)}" ${font} ${paint}`, escapeXml(text));
  }

  private fillAttributes(): string {
    return `fill="${escapeXml(String(this.fillStyle))}"${this.opacity()}`;
  }

  private strokeAttributes(): string {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.map(num).join(" ")}"` : "";
    return (
      `stroke="${escapeXml(String(this.strokeStyle))}" stroke-width="${num(this.lineWidth)}" ` +
      `stroke-linecap="${this.lineCap}" stroke-linejoin="${this.lineJoin}"${dash}${this.opacity()}`
    );
  }

  private opacity(): string {
    return this.globalAlpha === 1 ? "" : ` opacity="${num(this.globalAlpha)}"`;
  }

  private element(name: string, attributes: string, content = ""): void {
    const place = this.transform ? ` transform="${this.transform}"` : "";
    this.elements.push(`<${name} ${attributes}${place}>${content}</${name}>`);
  }
}

/** Text made safe for XML content and attributes; control characters, which XML forbids, go. */
export function escapeXml(text: string): string {
  return [...text]
    .filter((char) => char >= " " || char === "\t" || char === "\n")
    .join("")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function num(value: number): string {
  return String(Math.round(value * 100) / 100);
}
