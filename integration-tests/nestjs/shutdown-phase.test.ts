import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { NEST_RUNS, prepareNest, startNest } from "./nest-app.js";

const [{ connect }] = bothClients as [StockOrOurs];

describe.each(NEST_RUNS)("shutdown.phase 'moduleDestroy' on Nest $version with $platform", ({ version, platform }) => {
  beforeAll(() => prepareNest(version));

  it("awaits handlers and handleDisconnect before other modules end, so that handlers find their databases open", async () => {
    const env = { PLATFORM: platform, ADAPTER: "module", PHASE: "moduleDestroy" };
    const app = await startNest(version, "lifecycle", env);
    onTestFinished(() => app.kill());
    const client = await connect(app.url);
    client.emit("slow");
    await app.printed("handler begins");
    const reason = nextEvent(client, "disconnect");
    await app.stop();
    expect((await reason)[0]).toBe("transport close");
    const lines = app.output().split("\n").slice(1).filter(Boolean);
    expect(lines).toEqual([
      "handler begins",
      "handler ends",
      "handleDisconnect ends",
      "onModuleDestroy",
      "onApplicationShutdown",
    ]);
  });
});
