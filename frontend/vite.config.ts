import { defineConfig } from "vite";
import { door } from "./scripts/door.ts";

// React's API, carried out by Preact. `PAGE_RUNTIME=react` builds the same page with React, to tell a fault of the one
// from a fault of the page.
const preact = [
  { find: /^react-dom\/client$/, replacement: "preact/compat/client" },
  { find: /^react-dom$/, replacement: "preact/compat" },
  { find: /^react\/jsx-(dev-)?runtime$/, replacement: "preact/jsx-runtime" },
  { find: /^react$/, replacement: "preact/compat" },
];

export default defineConfig({
  plugins: [door()],
  resolve: { alias: process.env.PAGE_RUNTIME === "react" ? [] : preact },
  oxc: { jsx: { runtime: "automatic", importSource: "react" } },
  build: {
    target: "es2023",
    // One stylesheet and files only: the content security policy allows nothing inline.
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      onLog(level, log, next) {
        // `"use client"` in a library means nothing here.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") next(level, log);
      },
    },
  },
});
