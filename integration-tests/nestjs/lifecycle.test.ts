import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { clientsOn, NEST_RUNS, prepareNest, startNest, type NestProcess, type NestVersion } from "./nest-app.js";

async function start(version: NestVersion, name: string, env: Readonly<Record<string, string>>): Promise<NestProcess> {
  const app = await startNest(version, name, env);
  onTestFinished(() => app.kill());
  return app;
}

describe.each(NEST_RUNS)("an application on Nest $version with $platform", ({ version, platform }) => {
  beforeAll(() => prepareNest(version));

  it.each(clientsOn({ version, platform }))(
    "shares the session of the platform with sockets of $name",
    async ({ connect }) => {
      const app = await start(version, "lifecycle", { PLATFORM: platform, CASE: "session" });
      const login = await fetch(`${app.url}/login`);
      const cookie = login.headers.getSetCookie().join("; ").split(";")[0] as string;
      for (const transports of [["polling"], ["websocket"]] as ("polling" | "websocket")[][]) {
        const client = await connect(app.url, { transports, extraHeaders: { cookie, "x-test": "1" } });
        expect(await client.emitWithAck("session")).toEqual({ user: "ada", header: "1" });
      }
    },
  );

  it("answers handshakes that the platform refuses as the platform does, over both transports", async () => {
    const app = await start(version, "lifecycle", { PLATFORM: platform, CASE: "session" });
    const headers = { "x-refuse": "1" };
    const poll = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers });
    expect(poll.status).toBe(401);
    expect(await poll.text()).toBe("refused by the platform");
    const [{ open }] = bothClients as [(typeof bothClients)[0]];
    const client = open(app.url, { extraHeaders: headers });
    const [error] = (await nextEvent(client, "connect_error")) as [{ description: { message: string } }];
    expect(error.description.message).toContain("401");
    const let_in = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`);
    expect(let_in.headers.get("x-powered-by-hook")).toBe("yes");
  });

  it.each(["ours", "module"])("waits for handlers and handleDisconnect before the last hooks (%s)", async (ADAPTER) => {
    const app = await start(version, "lifecycle", { PLATFORM: platform, ADAPTER });
    const [{ connect }] = bothClients as [(typeof bothClients)[0]];
    const client = await connect(app.url);
    client.emit("slow");
    await app.printed("handler begins");
    const reason = nextEvent(client, "disconnect");
    await app.stop();
    expect((await reason)[0]).toBe("transport close");
    const lines = app.output().split("\n").slice(1);
    expect(lines.filter(Boolean)).toEqual([
      "handler begins",
      "onModuleDestroy",
      "handler ends",
      "handleDisconnect ends",
      "onApplicationShutdown",
    ]);
  });

  it("refuses to start with gateways that contradict each other, naming both", async () => {
    const starting = startNest(version, "lifecycle", { PLATFORM: platform, CASE: "conflict" });
    await expect(starting).rejects.toThrow(/FirstGateway and SecondGateway share .* "pingInterval"/);
  });

  it("refuses to start when afterInit throws", async () => {
    const starting = startNest(version, "lifecycle", { PLATFORM: platform, CASE: "after-init" });
    await expect(starting).rejects.toThrow("afterInit failed");
  });

  it("is reloaded in its process by another one on the same port, to which clients come back", async () => {
    const app = await start(version, "reload", { PLATFORM: platform });
    const [{ connect }] = bothClients as [(typeof bothClients)[0]];
    const clients = await Promise.all(
      (["polling", "websocket"] as const).map((transport) =>
        connect(app.url, { transports: [transport], reconnection: true, reconnectionDelay: 20, forceNew: true }),
      ),
    );
    const [worker] = clients as [(typeof clients)[0]];
    worker.emit("work");
    await app.printed("handler works");
    const back = clients.map((client) => nextEvent(client, "disconnect").then(() => nextEvent(client, "connect")));
    worker.emit("reload");
    await app.printed("generation 2 serves");
    await Promise.all(back);
    for (const client of clients) expect(await client.timeout(5000).emitWithAck("generation")).toBe(2);
    await app.printed("generation 1 is closed");
  });

  it("connects clients in memory, with guards overridden", async () => {
    const app = await start(version, "in-memory", { PLATFORM: platform });
    expect(app.output().split("\n")).toEqual([
      "before down",
      expect.stringContaining("refused Forbidden resource"),
      "listening? false",
      "after down",
      "before down",
      "answer hello",
      expect.stringMatching(/^health .*"status":"down".*more than 0 connections.* up$/),
      "listening? false",
      "after down",
      "listening nowhere",
      "",
    ]);
  });
});
