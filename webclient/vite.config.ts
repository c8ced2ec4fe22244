import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.CAMPFIRE ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), trixWithoutStyles()],
  define: { "import.meta.env.SOUNDS_VERSION": JSON.stringify(versionOf("public/sounds")) },
  build: { outDir: "dist", assetsInlineLimit: 0, chunkSizeWarningLimit: 600 },
  optimizeDeps: { exclude: ["trix"] },
  server: {
    proxy: {
      "/campfire.v1.": server,
      "/custom.css": server,
      "/qr_code/": server,
      "/users/": { target: server, bypass: page },
    },
  },
  test: { environment: "happy-dom", include: ["{src,sounds}/**/*.test.{ts,tsx}"] },
});

/** Addresses under /users/ are screens when the browser asks for a page, and pictures otherwise. */
function page(request: { headers: { accept?: string | undefined } }) {
  return request.headers.accept?.includes("text/html") ? "/index.html" : undefined;
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
