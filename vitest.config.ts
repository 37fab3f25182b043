import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));

// Tests run on the sources: no build stands between an edit and its test.
const alias = [
  { find: /^@plugboard\/(protocol|engine|server|testkit)$/, replacement: source("$1/src/index.ts") },
  { find: /^@plugboard\/(engine)\/internal$/, replacement: source("$1/src/internal.ts") },
];

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: { name: "unit", include: ["packages/*/src/**/*.test.ts"], environment: "node" },
      },
      {
        resolve: { alias },
        test: {
          name: "integration",
          include: ["integration-tests/**/*.test.ts"],
          environment: "node",
          testTimeout: 30_000,
          hookTimeout: 60_000,
          globalSetup: "./scripts/build.mjs",
        },
      },
    ],
  },
});
