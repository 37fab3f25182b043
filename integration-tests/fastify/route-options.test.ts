import { socketio, type SocketioOptions } from "@plugboard/fastify";
import Fastify from "fastify";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { loadPeer } from "./peers.js";
import { listen, startApp } from "./start-app.js";

const transports = ["polling", "websocket"];

interface Tenant {
  readonly tenant: string;
}

describe.each(bothClients)("routeOptions, by $name", (client) => {
  const refusal = async (url: string, options: object): Promise<Error> => {
    const socket = client.open(url, options);
    return (await nextEvent(socket, "connect_error"))[0] as Error;
  };

  it.each(transports)("with constraints let in over %s who meets them alone", async (transport) => {
    const { url } = await startApp({ routeOptions: { constraints: { version: "1.2.3" } } });
    await client.connect(url, { transports: [transport], extraHeaders: { "accept-version": "1.x" } });
    expect(await refusal(url, { transports: [transport] })).toBeInstanceOf(Error);
  });

  it.each([
    ["handshake", "polling"],
    ["handshake", "websocket"],
    ["all", "polling"],
    ["all", "websocket"],
  ] as const)("with config.rateLimit count handshakes and nothing else: hooks %j, %s", async (hooks, transport) => {
    const peer = await loadPeer("@fastify/rate-limit");
    const options: SocketioOptions = {
      hooks,
      routeOptions: { config: { rateLimit: { max: 2, timeWindow: 60_000 } } as object },
    };
    const { url, app } = await startApp(options, {
      before: async (it) => void (await it.register(peer, { global: false })),
    });
    app.io.event("echo", (payload) => payload);
    for (let i = 0; i < 2; i++) {
      const socket = await client.connect(url, { transports: [transport] });
      for (let n = 0; n < 5; n++) expect(await socket.emitWithAck("echo", n)).toBe(n);
    }
    expect(await refusal(url, { transports: [transport] })).toBeInstanceOf(Error);
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(429);
  });

  it.each(transports)("below a prefix with a parameter hold for each value of it, over %s", async (transport) => {
    const app = Fastify();
    const seen: unknown[] = [];
    await app.register(
      async (scope) => {
        await scope.register(socketio, {
          routeOptions: {
            onRequest: async ({ params, ioHandshake }) => void seen.push([(params as Tenant).tenant, ioHandshake]),
          },
        });
        scope.io.event("tenant", (_payload, { socket }) => (socket.request.params as Tenant).tenant);
      },
      { prefix: "/:tenant" },
    );
    const { url } = await listen(app);
    for (const tenant of ["ada", "bob"]) {
      const socket = await client.connect(url, { path: `/${tenant}/socket.io`, transports: [transport] });
      expect(await socket.emitWithAck("tenant")).toBe(tenant);
    }
    expect(seen).toEqual([
      ["ada", true],
      ["bob", true],
    ]);
  });

  it("with errorHandler answer for what hooks throw", async () => {
    const { url } = await startApp({
      routeOptions: {
        preHandler: async () => {
          throw new Error("not you");
        },
        errorHandler: (error, _request, reply) => void reply.code(418).send((error as Error).message),
      },
    });
    const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    expect([response.status, await response.text()]).toEqual([418, "not you"]);
    expect(await refusal(url, { transports: ["websocket"] })).toBeInstanceOf(Error);
  });

  it("with logLevel keep handshakes out of the log, and other routes in it", async () => {
    const logged: string[] = [];
    const stream = {
      write: (line: string) => {
        const { msg, req } = JSON.parse(line) as { msg: string; req?: { url: string } };
        if (msg === "incoming request") logged.push(req?.url ?? "");
      },
    };
    const { url } = await startApp(
      { routeOptions: { logLevel: "silent" } },
      { fastify: { logger: { level: "info", stream } }, after: (app) => app.get("/other", async () => "ok") },
    );
    for (const transport of transports) await client.connect(url, { transports: [transport] });
    await fetch(`${url}/other`);
    expect(logged).toEqual(["/other"]);
  });

  it("leave bodies to the engine: limits and parsers of the application are not asked", async () => {
    const { url, app } = await startApp(
      { hooks: "all", maxHttpBufferSize: 300_000 },
      {
        fastify: { bodyLimit: 1000 },
        before: (it) =>
          it.addContentTypeParser("text/plain", { parseAs: "string" }, (_request, _body, done) =>
            done(new Error("not for Socket.IO")),
          ),
      },
    );
    app.io.event("length", (text: string) => text.length);
    const socket = await client.connect(url, { transports: ["polling"] });
    expect(await socket.emitWithAck("length", "x".repeat(200_000))).toBe(200_000);
    const closed = nextEvent(socket, "disconnect");
    socket.emit("length", "x".repeat(400_000));
    await closed;
  });
});

describe("the plugin", () => {
  it("has the name that others can depend on", async () => {
    const app = Fastify();
    await app.register(socketio);
    expect(app.hasPlugin("@plugboard/fastify")).toBe(true);
    await app.close();
  });

  it("is reached from routes by request.io and reply.io, as the scope of the route sees it", async () => {
    const { app, url } = await startApp(
      {},
      {
        after: (it) =>
          it.register(async (scope) => {
            scope.get("/tell", async (request, reply) => {
              reply.io.emit("told", reply.io === request.io && reply.io === scope.io);
              return "ok";
            });
          }),
      },
    );
    const socket = await bothClients[0]!.connect(url);
    const told = nextEvent(socket, "told");
    expect((await app.inject("/tell")).body).toBe("ok");
    expect(await told).toEqual([true]);
  });

  it("takes events of all plugins behind it, until the application is ready and later", async () => {
    const app = Fastify();
    app.register(socketio).after(() => void app.io.event("after", () => "after"));
    app.register(async (scope) => {
      await scope.register(async (inner) => {
        inner.io.event("inner", () => "inner");
      });
      scope.io.event("scope", () => "scope");
    });
    app.addHook("onReady", async () => void app.io.event("ready", () => "ready"));
    const { url } = await listen(app);
    app.io.event("later", () => "later");
    const socket = await bothClients[0]!.connect(url);
    for (const event of ["inner", "scope", "ready", "after", "later"]) {
      expect(await socket.emitWithAck(event, null)).toBe(event);
    }
  });
});
