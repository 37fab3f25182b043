import { describe, expect, it, vi } from "vitest";
import { startApp } from "./start-app.js";

// Whatever the tests below import from "fastify".
vi.mock("fastify", async () => (await import("./oldest.js")).loadOldest());

describe("on the oldest Fastify", async () => {
  it("which is 5.0.0", async () => {
    expect((await startApp()).app.version).toBe("5.0.0");
  });

  await import("./handshake.test.js");
  await import("./coexistence.test.js");
  await import("./events.test.js");
  await import("./sessions.test.js");
  await import("./secure-sessions.test.js");
  await import("./tokens.test.js");
  await import("./limits.test.js");
  await import("./inject.test.js");
  await import("./options.test.js");
  await import("./closing.test.js");
  await import("./closing-connections.test.js");
});
