import { resolve } from "node:path";
import { defineConfig } from "vite";

// Builds both candidates as production pages; tests/benchmarks/canvas_1000.py says where to.
const page = (name: string): string => resolve(import.meta.dirname, `${name}.html`);

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  logLevel: "error",
  build: {
    emptyOutDir: true,
    modulePreload: false,
    rollupOptions: { input: { ours: page("ours"), reference: page("reference") } },
  },
});
