/** What the draw passes use of a 2D context; a canvas has it, and so has the SVG recorder. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | "save"
  | "restore"
  | "translate"
  | "scale"
  | "beginPath"
  | "closePath"
  | "moveTo"
  | "lineTo"
  | "quadraticCurveTo"
  | "arc"
  | "rect"
  | "roundRect"
  | "fill"
  | "fillRect"
  | "stroke"
  | "fillText"
  | "strokeText"
  | "setLineDash"
  | "fillStyle"
  | "strokeStyle"
  | "lineWidth"
  | "lineCap"
  | "lineJoin"
  | "globalAlpha"
  | "font"
  | "textAlign"
>;

/** Room that a stamp takes around its origin, world px. */
export interface StampBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A small picture that is drawn again and again: the same `key` must always mean the same picture. */
export interface Stamp {
  key: string;
  box: StampBox;
  draw: (pen: Pen) => void;
  size?: number; // world px a px of the picture; 1 when left out
  /** Few of these, or always of one size on the screen: worth a picture at each exact scale. */
  steady?: boolean;
  /** One of many (text): may come some frames later, so that no frame takes long. */
  late?: boolean;
}

/** A pen that can repeat small pictures cheaply. */
export interface Surface {
  pen: Pen;
  stamp(stamp: Stamp, x: number, y: number): void;
}

/** Draws a stamp anew, for surfaces that keep no pictures. */
export function drawStamp(pen: Pen, { draw, size = 1 }: Stamp, x: number, y: number): void {
  pen.save();
  pen.translate(x, y);
  if (size !== 1) pen.scale(size, size);
  draw(pen);
  pen.restore();
}

export function line(pen: Pen, ax: number, ay: number, bx: number, by: number): void {
  pen.beginPath();
  pen.moveTo(ax, ay);
  pen.lineTo(bx, by);
  pen.stroke();
}

export function disc(pen: Pen, x: number, y: number, radius: number): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
}

/** Text with an outline in the ground's colour, so that it reads over cables. */
export function haloText(pen: Pen, text: string, x: number, y: number, halo: string): void {
  pen.strokeStyle = halo;
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeText(text, x, y);
  pen.fillText(text, x, y);
}
