import { Camera } from "./camera";
import { SceneClock } from "./clock";
import type { Painter, SceneCallout, Selection } from "./contract";
import { drawTraffic } from "./drawMotion";
import { drawOverlay } from "./drawOverlay";
import { drawStatic } from "./drawStatic";
import { Governor } from "./governor";
import { Ground } from "./ground";
import { HitTester } from "./hitTest";
import { LabelPlanner } from "./labels";
import { Layer } from "./layer";
import { Minimap } from "./minimap";
import { SceneModel } from "./model";
import { Overlay } from "./overlay";
import { DETAIL, type Scenery } from "./scenery";
import { StampCache } from "./stamps";
import { forgetWidths } from "./text";
import { THEMES, type Theme } from "./theme";
import { Traffic } from "./traffic";

const SETTLE = 160; // ms after the last movement until the picture is drawn sharp again

/** The two canvases, and the loop that draws them only when something has changed or moves. */
export class Stage {
  readonly camera = new Camera();
  readonly model = new SceneModel();
  readonly clock = new SceneClock();
  readonly overlay = new Overlay();
  readonly traffic = new Traffic(this.model);
  readonly tester = new HitTester(this.model);
  readonly planner = new LabelPlanner(this.model, this.tester);
  theme: Theme = THEMES.light;
  words: Record<string, string> = {};
  selection: Selection = new Set();
  callouts: readonly SceneCallout[] = [];
  painter: Painter | null = null;
  readonly top: HTMLCanvasElement;
  private readonly stamps = new StampCache();
  private readonly ground = new Ground();
  private readonly governor = new Governor();
  private readonly still: Layer;
  private readonly motion: Layer;
  private readonly minimap: Minimap;
  private readonly watcher: ResizeObserver;
  private look = 0;
  private stillDirty = true;
  private motionDirty = true;
  private painting = false;
  private request = 0;
  private before: (() => void) | null = null; // what the next frame begins with
  private restingZoom = 0; // at which the last picture at rest was drawn
  private settling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly resized: () => void,
  ) {
    this.still = new Layer(host, this.stamps, true);
    this.motion = new Layer(host, this.stamps, false);
    this.top = this.motion.canvas;
    this.top.style.touchAction = "none";
    this.minimap = new Minimap(host, this.camera, this.model, () => this.gesture());
    this.watcher = new ResizeObserver(() => this.measure());
    this.watcher.observe(host);
    this.measure();
    document.fonts?.addEventListener("loadingdone", this.fontsLoaded);
  }

  /** The look of something has changed. */
  contentChanged(): void {
    this.look += 1;
    this.redraw("all");
  }

  /** Something moves under the user's hand: speed before sharpness, until it rests. */
  gesture(): void {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = undefined;
      this.redraw("all");
    }, SETTLE);
    this.redraw("all");
  }

  redraw(layer: "all" | "motion"): void {
    this.motionDirty = true;
    if (layer === "all") this.stillDirty = true;
    this.wake();
  }

  /** What is put in last counts; it may ask for redraws. */
  beforeFrame(act: () => void): void {
    this.before = act;
    this.wake();
  }

  /** Starts the loop when it has stopped. */
  wake(): void {
    if (!this.request) this.request = requestAnimationFrame(this.frame);
  }

  labelsShown(): boolean {
    return this.camera.zoom >= DETAIL.full;
  }

  forgetStamps(): void {
    this.stamps.clear();
    this.contentChanged();
  }

  typicalFrame(): number {
    return this.governor.typical();
  }

  get ratio(): number {
    return this.motion.ratio;
  }

  scenery(): Omit<Scenery, "surface"> {
    const { model, planner, theme, words, selection, callouts, camera } = this;
    const view = camera.view();
    return { model, planner, theme, words, selection, callouts, zoom: camera.zoom, view };
  }

  destroy(): void {
    cancelAnimationFrame(this.request);
    clearTimeout(this.settling);
    this.watcher.disconnect();
    document.fonts?.removeEventListener("loadingdone", this.fontsLoaded);
    for (const canvas of [this.still.canvas, this.motion.canvas, this.minimap.canvas]) {
      canvas.remove();
    }
  }

  private readonly frame = (): void => {
    const { before } = this;
    this.before = null;
    before?.(); // while a frame is still asked for: what it changes is drawn in this one
    this.request = 0;
    const begun = performance.now();
    this.stamps.begin(this.zooming());
    const now = this.clock.now();
    const moving = this.traffic.expire(now);
    if (!this.stillDirty && !this.motionDirty && !moving) {
      this.governor.rest();
      return;
    }
    if (this.stillDirty) this.drawStill();
    if (this.motionDirty || moving) this.drawMotion(now);
    // One more frame after the last packet, to wipe it away.
    this.motionDirty = (moving && this.clock.paused === false) || this.painting;
    this.governor.frame(begun, performance.now() - begun);
    if (this.stamps.missed) this.redraw("all");
    if (this.motionDirty) this.wake();
    else this.governor.rest();
  };

  private drawStill(): void {
    this.stillDirty = false;
    const inHand = this.settling !== undefined;
    this.still.resize(this.camera, this.governor.staticRatio(this.deviceRatio(), inHand));
    this.ground.draw(this.still, this.camera, this.theme);
    if (!inHand) this.restingZoom = this.camera.zoom;
    this.still.inWorld(this.camera, this.zooming());
    drawStatic({ ...this.scenery(), surface: this.still });
    this.minimap.draw(this.theme, this.look);
  }

  private zooming(): boolean {
    return this.settling !== undefined && this.camera.zoom !== this.restingZoom;
  }

  private drawMotion(now: number): void {
    const { motion, camera, model, traffic, theme, overlay } = this;
    const fresh = motion.resize(camera, this.governor.motionRatio(this.deviceRatio()));
    motion.inScreen();
    if (!fresh) motion.pen.clearRect(0, 0, camera.width, camera.height);
    const view = { surface: motion, camera, model, traffic, theme, now };
    drawTraffic(view);
    this.painting = this.painter?.draw(view) ?? false;
    drawOverlay({ pen: motion.pen, camera, model, overlay, theme });
  }

  private deviceRatio(): number {
    return Math.min(3, devicePixelRatio || 1);
  }

  private measure(): void {
    const { clientWidth, clientHeight } = this.host;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.camera.resize(clientWidth, clientHeight);
    this.resized();
    this.redraw("all");
  }

  private readonly fontsLoaded = (): void => {
    forgetWidths();
    this.planner.forget();
    this.forgetStamps();
  };
}
