import type { Camera } from "./camera";
import { inflate, type Rect } from "./geometry";
import type { SceneModel } from "./model";
import { groupColor, kindColor, type Theme } from "./theme";

const WIDTH = 150;
const HEIGHT = 92;
const PAD = 8;

/** The whole picture in a corner; a press or a drag there moves the view. */
export class Minimap {
  readonly canvas = document.createElement("canvas");
  private readonly still = document.createElement("canvas");
  private drawn = "";
  private area: Rect = { x: 0, y: 0, width: 1, height: 1 };

  constructor(
    host: HTMLElement,
    private readonly camera: Camera,
    private readonly model: SceneModel,
    private readonly moved: () => void,
  ) {
    this.canvas.setAttribute("aria-hidden", "true");
    Object.assign(this.canvas.style, {
      position: "absolute",
      right: "14px",
      bottom: "14px",
      width: `${WIDTH}px`,
      height: `${HEIGHT}px`,
      borderRadius: "10px",
      boxSizing: "border-box",
      cursor: "pointer",
      touchAction: "none",
    });
    host.append(this.canvas);
    this.canvas.addEventListener("pointerdown", this.press);
    this.canvas.addEventListener("pointermove", this.drag);
  }

  draw(theme: Theme, look: number): void {
    const useful = this.useful();
    this.canvas.style.display = useful ? "block" : "none";
    if (!useful) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const key = `${look} ${this.model.geometry} ${theme.name} ${ratio}`;
    if (key !== this.drawn) this.drawStill(theme, ratio, key);
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.still, 0, 0);
    this.drawFrame(pen, theme, ratio);
  }

  /** A map of what is all in view anyway would only cover it. */
  private useful(): boolean {
    const bounds = this.model.bounds();
    if (!bounds || this.camera.width <= 480 || this.camera.height <= 300) return false;
    const view = this.camera.view();
    return !(
      bounds.x >= view.x &&
      bounds.y >= view.y &&
      bounds.x + bounds.width <= view.x + view.width &&
      bounds.y + bounds.height <= view.y + view.height
    );
  }

  private drawStill(theme: Theme, ratio: number, key: string): void {
    this.drawn = key;
    Object.assign(this.canvas.style, {
      background: theme.panel,
      border: `1px solid ${theme.line}`,
      boxShadow: `0 4px 14px ${theme.shadow}`,
    });
    for (const canvas of [this.canvas, this.still]) {
      canvas.width = (WIDTH - 2) * ratio;
      canvas.height = (HEIGHT - 2) * ratio;
    }
    this.area = inflate(this.model.bounds() ?? this.area, 40);
    const pen = this.still.getContext("2d");
    if (!pen) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawContent(pen, theme);
  }

  private drawContent(pen: CanvasRenderingContext2D, theme: Theme): void {
    pen.globalAlpha = 0.6;
    for (const group of this.model.groups.values()) {
      const { x, y, width, height } = this.toMap(group);
      const color = "color" in group.data ? group.data.color : "";
      pen.fillStyle = groupColor(theme, color).fill;
      pen.fillRect(x, y, width, height);
    }
    pen.globalAlpha = 0.7;
    pen.strokeStyle = theme.line2;
    pen.lineWidth = 0.7;
    pen.beginPath();
    for (const { a, b } of this.model.links.values()) {
      const [from, to] = [this.toMap(a), this.toMap(b)];
      pen.moveTo(from.x, from.y);
      pen.lineTo(to.x, to.y);
    }
    pen.stroke();
    pen.globalAlpha = 1;
    const size = Math.max(2, Math.min(6, 54 * this.scale()));
    for (const node of this.model.nodes.values()) {
      const { x, y } = this.toMap(node);
      pen.fillStyle = node.data.state === "down" ? theme.bad : kindColor(theme, node.data.kind);
      pen.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }

  private drawFrame(pen: CanvasRenderingContext2D, theme: Theme, ratio: number): void {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const view = this.toMap(this.camera.view());
    const left = Math.max(2, view.x);
    const top = Math.max(2, view.y);
    const right = Math.min(WIDTH - 4, view.x + view.width);
    const bottom = Math.min(HEIGHT - 4, view.y + view.height);
    pen.strokeStyle = theme.accent;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.roundRect(left, top, Math.max(4, right - left), Math.max(4, bottom - top), 2);
    pen.stroke();
  }

  private scale(): number {
    return Math.min((WIDTH - 2 * PAD) / this.area.width, (HEIGHT - 2 * PAD) / this.area.height);
  }

  private origin(): { x: number; y: number } {
    const scale = this.scale();
    return {
      x: (WIDTH - 2 - this.area.width * scale) / 2,
      y: (HEIGHT - 2 - this.area.height * scale) / 2,
    };
  }

  private toMap(rect: { x: number; y: number; width?: number; height?: number }): Rect {
    const scale = this.scale();
    const { x, y } = this.origin();
    return {
      x: x + (rect.x - this.area.x) * scale,
      y: y + (rect.y - this.area.y) * scale,
      width: (rect.width ?? 0) * scale,
      height: (rect.height ?? 0) * scale,
    };
  }

  private readonly press = (event: PointerEvent): void => {
    this.canvas.setPointerCapture(event.pointerId);
    this.goTo(event);
  };

  private readonly drag = (event: PointerEvent): void => {
    if (event.buttons & 1) this.goTo(event);
  };

  private goTo(event: PointerEvent): void {
    const scale = this.scale();
    const { x, y } = this.origin();
    this.camera.centerOn({
      x: this.area.x + (event.offsetX - x) / scale,
      y: this.area.y + (event.offsetY - y) / scale,
    });
    this.moved();
  }
}
