/** Keeps the canvas in step with the lab, and turns what the pointer did into operations. */

import { connectNodes, placeAt, placeOnLink } from "../../actions/draw";
import { trace } from "../../actions/story";
import { whyNoTerminal } from "../../actions/terminal";
import type { Editor } from "../../app/editor";
import { loadStories } from "../../app/stories";
import { Deriver, problemsByObject } from "../../doc/derive";
import { type Move, moveAll } from "../../doc/edits";
import type { LiveDelta } from "../../net/live";
import { Choreographer } from "../../packets/index";
import type { SceneEvents, SceneView } from "../../scene/contract";
import type { StoryPainter } from "../../story/index";
import { calloutOf } from "./callouts";

const CALLOUT_LASTS = 12_000; // ms

export interface Menu {
  ids: string[];
  x: number;
  y: number;
}

export class SceneController {
  private deriver = new Deriver();
  private problems: ReadonlyMap<string, "error" | "warning"> = new Map();
  private choreographer: Choreographer;
  private stops: (() => void)[] = [];
  private calloutTimer: ReturnType<typeof setInterval> | null = null;
  private calloutTimes = new Map<number, number>();
  private scene: SceneView | null = null;

  constructor(
    private readonly editor: Editor,
    private readonly openMenu: (menu: Menu) => void,
  ) {
    this.choreographer = new Choreographer(editor.session.packets.endsOf);
    if (editor.session.readOnly) this.events = looking(this.events);
  }

  /** Begin to feed the scene. */
  attach(scene: SceneView): void {
    const { session, ui } = this.editor;
    this.scene = scene;
    this.editor.scene = scene;
    this.editor.playout = this.choreographer;
    ui.setState({ zoom: scene.stats().zoom }); // tells whoever waits for a canvas
    this.refresh();
    scene.setSelection(ui.getState().selection);
    scene.setTool(ui.getState().tool);
    this.stops = [
      session.doc.subscribe(() => this.refreshSoon()),
      session.live.onDelta((delta) => this.live(delta)),
      session.packets.onRows((rows) => {
        const { passages, crowded } = this.choreographer.add(rows, scene.now());
        scene.addPackets(passages);
        if (crowded.length > 0) scene.glowLinks(crowded);
      }),
      session.packets.onEnds((ends) => this.paint((painter) => painter.mark(ends))),
      session.facts.subscribe((facts, before) => {
        if (facts.problems !== before.problems) this.refreshSoon();
        if (facts.probes !== before.probes) this.callouts();
        if (facts.packetsPaused !== before.packetsPaused) scene.setPaused(facts.packetsPaused);
        if (!facts.lab.running && before.lab.running) this.clearPackets();
      }),
      ui.subscribe((state, before) => {
        if (state.selection !== before.selection) scene.setSelection(state.selection);
        if (state.tool !== before.tool) scene.setTool(state.tool);
        if (state.story !== before.story) {
          this.paint(() => {});
          this.callouts();
        }
      }),
    ];
    this.calloutTimer = setInterval(() => this.callouts(), 1_000);
  }

  detach(): void {
    for (const stop of this.stops) stop();
    if (this.calloutTimer !== null) clearInterval(this.calloutTimer);
    if (this.editor.scene === this.scene) {
      this.editor.scene = null;
      this.editor.playout = null;
    }
    this.scene?.destroy();
    this.scene = null;
  }

  readonly events: SceneEvents = {
    select: (ids, mode) => {
      this.editor.select(ids, mode);
      this.editor.focusCanvas();
    },
    move: (moves, done) => this.move(moves, done),
    connect: (from, to) => {
      connectNodes(this.editor, from, to);
      this.editor.ui.setState({ connectFrom: null });
    },
    place: (what, x, y) => {
      placeAt(this.editor, what, x, y);
    },
    dropOnLink: (link, what, x, y) => placeOnLink(this.editor, link, what, x, y),
    open: (id) => {
      this.editor.select([id]);
      if (id in this.editor.topology.nodes && whyNoTerminal(this.editor, id) === null) {
        this.editor.terminals.open(id);
        return;
      }
      this.editor.ui.setState({ inspectorOpen: true, inspectorTab: "properties" });
      this.editor.focusInspector();
    },
    menu: (ids, x, y) => {
      if (ids.some((id) => !this.editor.selection.has(id))) this.editor.select(ids);
      this.openMenu({ ids, x, y });
    },
    probe: (source, target) => {
      void this.editor.session.probe({ kind: "ping", source, target });
    },
    trace: (source, target) => trace(this.editor, { source, target, protocol: "icmp", port: null }),
    pickPacket: (number) => {
      const row = this.editor.session.packets.store.byNumber(number);
      this.editor.ui.setState({ pickedPacket: number });
      this.scene?.highlightPacket(row?.packet ?? null);
    },
    toolDone: () => this.editor.ui.setState({ tool: { kind: "select" }, connectFrom: null }),
    camera: (zoom) => this.editor.ui.setState({ zoom }),
    hover: () => {},
  };

  /** While the pointer drags, the scene itself shows where things are. */
  private move(moves: readonly Move[], done: boolean): void {
    if (!done) return;
    this.editor.submit(moveAll(this.editor.topology, moves));
    this.refresh();
  }

  /** Once a frame at most, however many operations arrive. */
  private refreshSoon(): void {
    this.scene?.beforeFrame(() => this.refresh());
  }

  private refresh(): void {
    const { session } = this.editor;
    const { topology } = session;
    this.problems = problemsByObject(topology, session.facts.getState().problems);
    this.scene?.setContent(this.deriver.content(topology, session.live, this.problems));
    this.pruneSelection();
  }

  private live(delta: LiveDelta): void {
    if (delta.all) {
      this.refreshSoon();
      return;
    }
    const { topology, live } = this.editor.session;
    const nodes = this.deriver.nodesOf(delta.nodes, topology, live, this.problems);
    if (nodes.length > 0) this.scene?.updateNodes(nodes);
    const links = this.deriver.linksOf(delta.links, topology, live);
    if (links.length > 0) this.scene?.updateLinks(links);
  }

  private pruneSelection(): void {
    const { topology, selection } = this.editor;
    const { nodes, links, notes, groups } = topology;
    const left = [...selection].filter(
      (id) => id in nodes || id in links || id in notes || id in groups,
    );
    if (left.length !== selection.size) this.editor.select(left);
  }

  private callouts(): void {
    // While a story is open, its verdict says more.
    const told = this.editor.ui.getState().story !== null;
    const probes = told ? [] : this.editor.session.facts.getState().probes;
    const now = performance.now();
    const shown = probes.filter((probe) => {
      const over = probe.status === "done" || probe.status === "failed";
      const key = over ? probe.id : -probe.id;
      const since = this.calloutTimes.get(key) ?? now;
      this.calloutTimes.set(key, since);
      return !over || now - since < CALLOUT_LASTS;
    });
    const newest = new Map(shown.reverse().map((probe) => [probe.source, probe]));
    this.scene?.setCallouts([...newest.values()].map((probe) => calloutOf(probe, this.editor)));
  }

  /** Ways and ends of packets are drawn by a painter that is loaded with the first of them. */
  private paint(act: (painter: StoryPainter) => void): void {
    const { scene } = this;
    void loadStories().then(({ painterOf }) => {
      if (scene === null || this.scene !== scene) return;
      const painter = painterOf(this.editor);
      scene.setPainter(painter);
      act(painter);
    });
  }

  private clearPackets(): void {
    this.choreographer.reset();
    this.scene?.clearPackets();
  }
}

/** What the pointer may do where nothing can be changed: choose, and move the view. */
function looking(events: SceneEvents): SceneEvents {
  const nothing = () => {};
  return {
    ...events,
    move: nothing,
    connect: nothing,
    place: nothing,
    dropOnLink: nothing,
    menu: nothing,
    probe: nothing,
    trace: nothing,
    open: (id) => events.select([id], "replace"),
  };
}
