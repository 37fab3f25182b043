import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));

// Tests run on the sources: no build stands between an edit and its test.
const alias = [
  // What Node gets: the exports of the package depend on who asks.
  { find: /^@plugboard\/client$/, replacement: source("client/src/node.ts") },
  { find: /^@plugboard\/client\/websocket$/, replacement: source("client/src/websocket-node.ts") },
  {
    find: /^@plugboard\/(protocol|engine|server|msgpack|contract|session|auth|rate-limit|testing|fastify|express|nestjs|testkit)$/,
    replacement: source("$1/src/index.ts"),
  },
  { find: /^@plugboard\/(engine)\/internal$/, replacement: source("$1/src/internal.ts") },
  { find: /^@plugboard\/(auth)\/client$/, replacement: source("$1/src/client.ts") },
];

/**
 * Guards against what hangs, in milliseconds, wide enough for a machine that is busy with something else. Hooks may have to
 * install what tests bring with a lock of their own.
 */
const guards = { testTimeout: 30_000, hookTimeout: 300_000, expect: { poll: { timeout: 20_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        define: { PLUGBOARD_DEBUG: "true" },
        test: { name: "unit", include: ["packages/*/src/**/*.test.ts"], environment: "node", ...guards },
      },
      {
        resolve: { alias },
        define: { PLUGBOARD_DEBUG: "true" },
        test: {
          name: "integration",
          include: ["integration-tests/**/*.test.ts"],
          environment: "node",
          ...guards,
          globalSetup: "./scripts/build.mjs",
        },
      },
    ],
  },
});
