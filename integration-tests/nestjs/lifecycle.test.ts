import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { NEST_CLIENT_RUNS, NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

/** What happens, in this order, when the process is told to end while a handler is at work. */
const CLOSING = {
  // Before the adapter, modules end.
  "adapter-dispose": ["onModuleDestroy", "handler ends", "handleDisconnect ends", "onApplicationShutdown"],
  "module-dispose": ["onModuleDestroy", "handler ends", "handleDisconnect ends", "onApplicationShutdown"],
  // Handlers find their databases open.
  "module-moduleDestroy": ["handler ends", "handleDisconnect ends", "onModuleDestroy", "onApplicationShutdown"],
};

describe.each(NEST_CLIENT_RUNS)("an application on Nest $version with $platform for $name", (run) => {
  const { version, platform, connect, open } = run;
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "lifecycle", { PLATFORM: platform });
  });
  afterAll(() => app.kill());

  it("shares the session of the platform with sockets", async () => {
    const login = await fetch(`${app.url}/login`);
    const cookie = login.headers.getSetCookie().join("; ").split(";")[0] as string;
    for (const transports of [["polling"], ["websocket"]] as ("polling" | "websocket")[][]) {
      const client = await connect(app.url, { transports, extraHeaders: { cookie, "x-test": "1" } });
      expect(await client.emitWithAck("session")).toEqual({ user: "ada", header: "1" });
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

  it("awaits handlers and handleDisconnect when it closes, before modules end if it is told so", async () => {
    const reasons = await Promise.all(
      Object.keys(CLOSING).map(async (name) => {
        const client = await connect(new RegExp(`^at ${name} (\\S+)$`, "m").exec(app.output())?.[1] as string);
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
