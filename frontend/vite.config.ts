import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** What every page needs at once; of the other packages, each page loads what it uses. */
const VENDOR = /node_modules\/(react|react-dom|scheduler|i18next|react-i18next|zustand)\//;

function chunkOf(id: string): string | undefined {
  if (id.includes("node_modules/@xterm/addon-webgl")) return "webgl";
  if (id.includes("node_modules/@xterm")) return "xterm";
  return VENDOR.test(id) ? "vendor" : undefined;
}

// The bundle is committed under stable names; Django adds the version (docs/decisions).
export default defineConfig({
  plugins: [react()],
  base: "./",
  publicDir: false,
  build: {
    outDir: resolve(import.meta.dirname, "../static/topoweb"),
    emptyOutDir: true,
    sourcemap: false,
    modulePreload: false,
    chunkSizeWarningLimit: 700, // kB; first load is held to 260 kB gzipped, which a test checks
    cssCodeSplit: false,
    rollupOptions: {
      input: resolve(import.meta.dirname, "src/app/main.tsx"),
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: (asset) =>
          asset.names[0]?.endsWith(".css") ? "app.css" : "assets/[name][extname]",
        manualChunks: chunkOf,
      },
    },
  },
  worker: { format: "es", rollupOptions: { output: { entryFileNames: "[name].js" } } },
  server: {
    proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
