import { defineConfig } from "@playwright/test";

// The page's tests: a real server with the catalog of `tests/world.mjs`, Debian's Chromium, the built page.
export default defineConfig({
  testDir: "tests",
  testMatch: "*.spec.ts",
  globalSetup: "./tests/setup.ts",
  outputDir: "test-results",
  reporter: [["list"]],
  workers: 1,
  timeout: 90_000,
  // Long for a machine that compiles beside it: only a failure waits for it.
  expect: { timeout: 20_000 },
  forbidOnly: !!process.env.CI,
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 900 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // As root, in a container, the sandbox of the browser cannot start.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
    trace: "off",
  },
});
