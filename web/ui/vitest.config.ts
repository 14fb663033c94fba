import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/global_setup.ts"],
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
