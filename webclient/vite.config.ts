import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const WORKER = "service-worker";
const server = process.env.CAMPFIRE ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), trixWithoutStyles(), serviceWorker()],
  define: { "import.meta.env.SOUNDS_VERSION": JSON.stringify(versionOf("public/sounds")) },
  build: {
    outDir: "dist",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      input: { index: "index.html", [WORKER]: `src/${WORKER}.ts` },
      output: {
        entryFileNames: ({ name }) => (name === WORKER ? `${WORKER}.js` : "assets/[name]-[hash].js"),
      },
    },
  },
  optimizeDeps: { exclude: ["trix"] },
  server: {
    proxy: {
      "/campfire.v1.": server,
      "/custom.css": server,
      "/qr_code/": server,
      "/webmanifest": server,
      "/account/logo": server,
      "/users/": { target: server, bypass: page },
    },
  },
  test: { environment: "happy-dom", include: ["{src,icons,sounds}/**/*.test.{ts,tsx}"] },
});

/** Addresses under /users/ are screens when the browser asks for a page, and pictures otherwise. */
function page(request: { headers: { accept?: string | undefined } }) {
  return request.headers.accept?.includes("text/html") ? "/index.html" : undefined;
}

/** Tells the service worker the names of all hashed files: it keeps them, and is a new one when they change. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    generateBundle(_, bundle) {
      const worker = bundle[`${WORKER}.js`];
      if (worker?.type !== "chunk" || worker.imports.length > 0)
        throw new Error("the service worker stands alone");
      const assets = Object.keys(bundle).filter((file) => /^assets\/.*\.(js|css)$/.test(file));
      const names = JSON.stringify(assets.sort().map((file) => `/${file}`));
      worker.code = worker.code.replaceAll(/\bASSETS\b/g, names);
    },
  };
}

/** What changes whenever a file in a folder does, so that its files may be kept for long. */
function versionOf(folder: string): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(`${folder}/${file}`));
  return hash.digest("base64url").slice(0, 8);
}

/** Trix writes its styles into the page; our policy forbids that, and actiontext.css has them. */
function trixWithoutStyles(): Plugin {
  const insertion = /document\.head\.insertBefore\(\w+,\s*document\.head\.firstChild\)/;
  return {
    name: "trix-without-styles",
    transform(code, id) {
      if (!id.includes("/trix/dist/")) return null;
      if (!insertion.test(code)) throw new Error("trix no longer inserts its styles the way we know");
      return { code: code.replace(insertion, "void 0"), map: null };
    },
  };
}
