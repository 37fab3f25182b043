import Fastify, { type FastifyPluginAsync } from "fastify";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { listen } from "./start-app.js";

const require = createRequire(import.meta.url);

describe("the built package", () => {
  it.each(["the CommonJS build", "the package"])("is registered where it is required: %s", async (what) => {
    // With `module-sync`, `require()` of the package gives its ESM build.
    const path = what === "the CommonJS build" ? "../../packages/fastify/dist/index.cjs" : "../../packages/fastify";
    const plugin = require(path) as FastifyPluginAsync;
    const app = Fastify();
    await app.register(plugin);
    app.io.event("double", (n: number) => 2 * n);
    const { url } = await listen(app);
    for (const transports of [["polling"], ["websocket"]]) {
      const socket = await bothClients[0]!.connect(url, { transports });
      expect(await socket.emitWithAck("double", 21)).toBe(42);
    }
  });
});
