import { defineConfig } from "vitest/config";

/** `npm test` needs nothing but npm. Tests that start the whole product share one build of it. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    globalSetup: ["test/global-setup.ts"],
  },
});
