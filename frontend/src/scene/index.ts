/** The canvas. `createScene` is all that the application needs; the types are in contract.ts. */
import type {
  CreateScene,
  PacketPassage,
  Painter,
  PlaceKind,
  SceneCallout,
  SceneContent,
  SceneEvents,
  SceneLink,
  SceneNode,
  SceneView,
  Selection,
  Tool,
} from "./contract";
import { toPng, toSvg } from "./exportImage";
import type { Point } from "./geometry";
import { Input } from "./input";
import { Stage } from "./stage";
import { THEMES } from "./theme";
import { PairTool } from "./tools/connectTool";
import { PanTool } from "./tools/panTool";
import { PlaceTool, showGhost } from "./tools/placeTool";
import { SelectTool } from "./tools/selectTool";
import type { ToolHandler, Workbench } from "./tools/tool";
import { GLOW } from "./traffic";

export type * from "./contract";
export { GROUP_COLORS } from "./theme";

/** Builds a canvas that fills `host`, a positioned element. */
export const createScene: CreateScene = (host, events) => new Scene(host, events);

class Scene implements SceneView {
  private readonly stage: Stage;
  private readonly bench: Workbench;
  private readonly input: Input;
  private tool: ToolHandler;
  private reduced = false;
  private unfitted = true;

  constructor(
    private readonly host: HTMLElement,
    private readonly events: SceneEvents,
  ) {
    this.stage = new Stage(host, () => this.resized());
    const { camera, model, tester, overlay, traffic, clock } = this.stage;
    this.bench = {
      camera,
      model,
      tester,
      overlay,
      traffic,
      events,
      selection: () => this.stage.selection,
      painter: () => this.stage.painter,
      now: () => clock.now(),
      redraw: (layer) => (layer === "all" ? this.stage.gesture() : this.stage.redraw(layer)),
    };
    this.tool = new SelectTool(this.bench);
    this.input = new Input(this.stage.top, this.bench, () => this.tool, {
      cameraMoved: () => this.cameraMoved(),
      menu: (screen, x, y) => this.menu(screen, x, y),
      open: (world) => this.open(world),
      tapNothing: () => events.select([], "replace"),
    });
  }

  setContent(content: SceneContent): void {
    if (this.stage.model.setContent(content)) this.stage.contentChanged();
  }

  updateNodes(nodes: SceneNode[]): void {
    if (this.stage.model.updateNodes(nodes)) this.stage.contentChanged();
  }

  updateLinks(links: SceneLink[]): void {
    if (this.stage.model.updateLinks(links, this.stage.labelsShown())) this.stage.redraw("all");
  }

  beforeFrame(act: () => void): void {
    this.stage.beforeFrame(act);
  }

  setSelection(ids: Selection): void {
    this.stage.selection = ids;
    this.stage.redraw("all");
  }

  setTool(tool: Tool): void {
    this.input.cancel();
    this.stage.overlay.clear();
    this.tool = this.handler(tool);
    this.input.refreshCursor();
    this.stage.redraw("motion");
  }

  setTheme(theme: "light" | "dark"): void {
    this.stage.theme = THEMES[theme];
    this.stage.forgetStamps();
  }

  setLabels(labels: Record<string, string>): void {
    this.stage.words = labels;
    this.stage.contentChanged();
  }

  setReducedMotion(reduced: boolean): void {
    this.reduced = reduced;
    if (reduced) this.clearPackets();
  }

  addPackets(passages: PacketPassage[]): void {
    this.stage.traffic.add(passages, this.reduced);
    this.stage.redraw("motion");
  }

  clearPackets(): void {
    this.stage.traffic.clear();
    this.stage.redraw("motion");
  }

  glowLinks(links: string[]): void {
    for (const link of links) this.stage.traffic.glow(link, this.now() + GLOW);
    this.stage.redraw("motion");
  }

  highlightPacket(packet: number | null, links: readonly string[] = []): void {
    this.stage.traffic.highlighted = packet;
    if (packet !== null) for (const link of links) this.stage.traffic.remember(packet, link);
    this.stage.redraw("motion");
  }

  pathOf(packet: number): string[] {
    return this.stage.traffic.pathOf(packet);
  }

  setCallouts(callouts: SceneCallout[]): void {
    if (callouts.length === 0 && this.stage.callouts.length === 0) return;
    this.stage.callouts = callouts;
    this.stage.redraw("all");
  }

  setPainter(painter: Painter | null): void {
    this.stage.painter = painter;
    this.repaint();
  }

  repaint(): void {
    this.stage.redraw("motion");
  }

  dragOver(what: PlaceKind, clientX: number, clientY: number): string | null {
    return showGhost(this.bench, what, this.clientToWorld(clientX, clientY), true);
  }

  dragEnd(): void {
    this.stage.overlay.ghost = null;
    this.stage.redraw("motion");
  }

  cancel(): boolean {
    return this.input.cancel();
  }

  now(): number {
    return this.stage.clock.now();
  }

  setPaused(paused: boolean): void {
    this.stage.clock.setPaused(paused);
    this.stage.redraw("motion");
  }

  fit(ids?: string[]): void {
    const bounds = this.stage.model.bounds(ids);
    if (!bounds) return;
    this.stage.camera.fit(bounds);
    this.cameraMoved();
  }

  zoomBy(factor: number): void {
    const { camera } = this.stage;
    camera.zoomAt({ x: camera.width / 2, y: camera.height / 2 }, factor);
    this.cameraMoved();
  }

  panBy(dx: number, dy: number): void {
    this.stage.camera.panBy(dx, dy);
    this.cameraMoved();
  }

  centerOn(id: string): void {
    const bounds = this.stage.model.boundsOf(id);
    if (!bounds) return;
    const { x, y, width, height } = bounds;
    this.stage.camera.centerOn({ x: x + width / 2, y: y + height / 2 });
    this.cameraMoved();
  }

  worldToClient(x: number, y: number): Point {
    const { left, top } = this.host.getBoundingClientRect();
    const screen = this.stage.camera.toScreen({ x, y });
    return { x: screen.x + left, y: screen.y + top };
  }

  clientToWorld(x: number, y: number): Point {
    const { left, top } = this.host.getBoundingClientRect();
    return this.stage.camera.toWorld({ x: x - left, y: y - top });
  }

  exportSvg(): string {
    return toSvg(this.stage.scenery());
  }

  exportPng(scale: number): Promise<Blob> {
    return toPng(this.stage.scenery(), scale);
  }

  stats(): ReturnType<SceneView["stats"]> {
    const { stage } = this;
    return {
      frameMs: stage.typicalFrame(),
      passages: stage.traffic.passages.length,
      dpr: stage.ratio,
      zoom: stage.camera.zoom,
      played: stage.traffic.played,
    };
  }

  destroy(): void {
    this.input.destroy();
    this.stage.destroy();
  }

  private handler(tool: Tool): ToolHandler {
    switch (tool.kind) {
      case "select":
        return new SelectTool(this.bench);
      case "connect":
        return new PairTool(this.bench, "connect", tool.from);
      case "probe":
      case "trace":
        return new PairTool(this.bench, tool.kind, tool.source);
      case "place":
        return new PlaceTool(this.bench, tool.what);
      case "pan":
        return new PanTool(this.bench);
    }
  }

  private cameraMoved(): void {
    this.unfitted = false;
    this.stage.gesture();
    this.events.camera(this.stage.camera.zoom);
  }

  /** Until the user or the application moves the view, the world's origin stays in its middle. */
  private resized(): void {
    if (this.unfitted) this.stage?.camera.centerOn({ x: 0, y: 0 });
  }

  private menu(screen: Point, clientX: number, clientY: number): void {
    const { camera, tester, selection } = this.stage;
    const hit = tester.at(camera.toWorld(screen), camera.zoom);
    if (hit && !selection.has(hit.id)) this.events.select([hit.id], "replace");
    const ids = !hit ? [] : selection.has(hit.id) ? [...selection] : [hit.id];
    this.events.menu(ids, clientX, clientY);
  }

  private open(world: Point): void {
    const hit = this.stage.tester.at(world, this.stage.camera.zoom);
    if (hit) this.events.open(hit.id);
  }
}
