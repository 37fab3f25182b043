import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { NEST_CLIENT_RUNS, NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

/** What happens, in this order, when the process is told to end while a handler is at work. */
const CLOSING = {
  // Before the adapter, modules end.
  "adapter-dispose": ["onModuleDestroy", "handler ends", "handleDisconnect ends", "onApplicationShutdown"],
  "module-dispose": ["onModuleDestroy", "handler ends", "handleDisconnect ends", "onApplicationShutdown"],
  // Handlers find their databases open.
  "module-moduleDestroy": ["handler ends", "handleDisconnect ends", "onModuleDestroy", "onApplicationShutdown"],
  // With a handler that never ends, and the option `shutdown.timeout`.
  never: ["onModuleDestroy", "onApplicationShutdown"],
};

describe.each(NEST_CLIENT_RUNS)("an application on Nest $version with $platform for $name", (run) => {
  const { version, platform, connect, open } = run;
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "lifecycle", { PLATFORM: platform });
  });
  afterAll(() => app.kill());

  const urlOf = (name: string): string => new RegExp(`^at ${name} (\\S+)$`, "m").exec(app.output())?.[1] as string;

  it("shares the session of the platform with sockets, or leaves it on the request with session: false", async () => {
    const seenBy = async (url: string, transport: "polling" | "websocket"): Promise<unknown> => {
      const login = await fetch(`${url}/login`);
      const cookie = login.headers.getSetCookie().join("; ").split(";")[0] as string;
      const client = await connect(url, { transports: [transport], extraHeaders: { cookie, "x-test": "1" } });
      return client.emitWithAck("session");
    };
    for (const transport of ["polling", "websocket"] as const) {
      expect(await seenBy(app.url, transport)).toEqual({ user: "ada", isShared: true, header: "1" });
      expect(await seenBy(urlOf("unshared"), transport)).toEqual({ user: "ada", isShared: false, header: "1" });
    }
  });

  it("answers handshakes that the platform refuses as the platform does, over both transports", async () => {
    const headers = { "x-refuse": "1" };
    const poll = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers });
    expect(poll.status).toBe(401);
    expect(await poll.text()).toBe("refused by the platform");
    const client = open(app.url, { extraHeaders: headers });
    const [error] = (await nextEvent(client, "connect_error")) as [{ description: { message: string } }];
    expect(error.description.message).toContain("401");
    const let_in = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`);
    expect(let_in.headers.get("x-powered-by-hook")).toBe("yes");
  });

  it.each(["module", "adapter"])(
    "does not start with gateways that contradict each other, naming both, nor when afterInit throws (%s)",
    (by) => {
      const outcome = (name: string) => new RegExp(`^${name} by ${by}: (.*)$`, "m").exec(app.output())?.[1];
      expect(outcome("contradicting")).toMatch(/FirstGateway and SecondGateway share .* "pingInterval"/);
      expect(outcome("init")).toBe("afterInit failed");
    },
  );

  it("awaits handlers and handleDisconnect when it closes, before modules end if it is told so, and not for ever", async () => {
    const reasons = await Promise.all(
      Object.keys(CLOSING).map(async (name) => {
        const client = await connect(urlOf(name));
        const disconnected = nextEvent(client, "disconnect").then(([reason]) => reason);
        client.emit("slow");
        await app.printed(`${name}: handler begins`);
        return { disconnected };
      }),
    );
    expect(await app.stop()).toBe("SIGTERM");
    expect(await Promise.all(reasons.map(({ disconnected }) => disconnected))).toEqual(
      Object.keys(CLOSING).map(() => "transport close"),
    );
    for (const [name, lines] of Object.entries(CLOSING)) {
      const printed = app.output().matchAll(new RegExp(`^${name}: (.*)$`, "gm"));
      expect([name, ...[...printed].map(([, line]) => line)]).toEqual([name, "handler begins", ...lines]);
    }
  });
});

describe.each(NEST_RUNS)("an application in tests, on Nest $version with $platform", ({ version, platform }) => {
  beforeAll(() => prepareNest(version));

  it("is reloaded in its process by another one on the same port, to which clients come back", async () => {
    const app = await startNest(version, "reload", { PLATFORM: platform });
    onTestFinished(() => app.kill());
    const [{ connect }] = bothClients as [StockOrOurs];
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
    const app = await startNest(version, "in-memory", { PLATFORM: platform });
    onTestFinished(() => app.kill());
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
