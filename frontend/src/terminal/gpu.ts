/** Drawing by the graphics processor, where there is one; browsers allow few contexts at once. */

import type { Terminal } from "@xterm/xterm";
import { withStyles } from "./styles";

let able: boolean | null = null;

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** False where WebGL would be computed by the processor: the page itself is quicker then. */
function hasGpu(): boolean {
  if (able !== null) return able;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  const about = context?.getExtension("WEBGL_debug_renderer_info");
  const name = about ? String(context?.getParameter(about.UNMASKED_RENDERER_WEBGL)) : "";
  able = context !== null && !SOFTWARE.test(name);
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return able;
}

/** Gives one terminal WebGL while it is wanted, and falls back to the page's elements. */
export class Gpu {
  private addon: { dispose(): void } | null = null;
  private wanted = false;

  constructor(private readonly terminal: Terminal) {}

  async on(): Promise<void> {
    if (this.wanted || !hasGpu()) return;
    this.wanted = true;
    const { WebglAddon } = await import("@xterm/addon-webgl");
    if (!this.wanted || this.addon) return;
    const addon = new WebglAddon();
    addon.onContextLoss(() => this.off());
    this.addon = addon;
    try {
      this.terminal.loadAddon(addon);
    } catch {
      this.off();
    }
  }

  off(): void {
    this.wanted = false;
    const { addon } = this;
    this.addon = null;
    if (addon) withStyles(() => addon.dispose()); // the page's elements come back
  }
}
