import { socketio } from "@plugboard/fastify";
import { closeTestClients } from "@plugboard/testing";
import Fastify from "fastify";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { attachPublished } from "./anchor.js";
import { loadPeer } from "./peers.js";

afterEach(closeTestClients);

function application() {
  const app = Fastify();
  onTestFinished(() => app.close());
  return app;
}

describe("app.inject()", () => {
  it("drives a whole conversation by polling, through onSend and onResponse", async () => {
    const app = application();
    const seen: string[] = [];
    app.addHook("onSend", async (request, reply) => {
      seen.push(`${request.method} ${request.ioHandshake}`);
      reply.header("x-app", "mine");
    });
    app.addHook("onResponse", async (_request, reply) => void seen.push(`sent ${reply.statusCode}`));
    await app.register(socketio);
    app.io.event("double", (n: number) => 2 * n);
    const url = "/socket.io/?EIO=4&transport=polling";
    const opened = await app.inject(url);
    expect(opened.headers["x-app"]).toBe("mine");
    const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string };
    const post = (payload: string) =>
      app.inject({
        method: "POST",
        url: `${url}&sid=${sid}`,
        payload,
        headers: { "content-type": "text/plain;charset=UTF-8" },
      });
    expect((await post("40")).body).toBe("ok");
    expect((await app.inject(`${url}&sid=${sid}`)).body).toMatch(/^40{"sid":/);
    await post('420["double",21]');
    expect((await app.inject(`${url}&sid=${sid}`)).body).toBe("430[42]");
    expect(seen.slice(0, 4)).toEqual(["GET true", "sent 200", "POST false", "sent 200"]);
    expect((await app.inject("/nothing")).statusCode).toBe(404);
    expect(seen.slice(-2)).toEqual(["GET false", "sent 404"]);
    expect((await app.inject(`${url}&sid=unknown`)).json()).toEqual({ code: 1, message: "Session ID unknown" });
  });

  it("gets 503 for handshakes when app.io has been closed, and what other routes answer", async () => {
    const app = application();
    await app.register(socketio);
    app.get("/", async () => "still here");
    await app.ready();
    const closed = app.io.close();
    expect((await app.inject("/socket.io/?EIO=4&transport=polling")).statusCode).toBe(503);
    await closed;
    expect((await app.inject("/socket.io/?EIO=4&transport=polling")).statusCode).toBe(503);
    expect((await app.inject("/")).body).toBe("still here");
    expect(app.io.engine.clientsCount).toBe(0);
  });

  it("does not reach the published server", async () => {
    const { app } = await attachPublished(application());
    expect((await app.inject("/socket.io/?EIO=4&transport=polling")).statusCode).toBe(404);
  });
});

describe("app.injectIO()", () => {
  it.each(["polling", "websocket"])(
    "connects a client over %s without a port, through hooks and cookies",
    async (transport) => {
      const app = application();
      await app.register(await loadPeer("@fastify/cookie"));
      await app.register(socketio, {
        routeOptions: {
          preHandler: async (request, reply) => {
            const { cookies } = request as unknown as { cookies: Record<string, string> };
            return cookies["user"] === "ada" ? undefined : reply.code(401).send("who?");
          },
        },
      });
      app.ioNamespace("/chat", (nsp) => {
        nsp.event("auth", (_payload, { socket }) => [socket.handshake.auth["token"], socket.request.headers["x-a"]]);
      });
      const transports = [transport];
      const socket = await app.injectIO("/chat", {
        transports,
        auth: { token: "t" },
        headers: { "x-a": "b" },
        cookies: { user: "ada" },
        remoteAddress: "10.1.2.3",
      });
      expect(await socket.emitWithAck("auth")).toEqual(["t", "b"]);
      expect(app.io.of("/chat").sockets.get(socket.id as string)?.handshake.address).toBe("10.1.2.3");
      await expect(app.injectIO("/chat", { transports })).rejects.toMatchObject({ status: 401 });
      expect(app.server.listening).toBe(false);
    },
  );

  it("connects clients that end with the application, and do not try to come back", async () => {
    const app = application();
    await app.register(socketio);
    const socket = await app.injectIO();
    await app.close();
    expect(socket.disconnected).toBe(true);
    expect(socket.active).toBe(false);
  });

  it("asks for the namespace first", async () => {
    const app = application();
    await app.register(socketio);
    await expect(app.injectIO({ auth: {} } as unknown as string)).rejects.toThrow('injectIO("/", { auth })');
  });
});

describe("rooms", () => {
  it("may be numbers, as in programs that come from JavaScript", async () => {
    const app = application();
    await app.register(await loadPeer("@fastify/cookie"));
    await app.register(await loadPeer("@fastify/session"), { secret: "s".repeat(32) });
    await app.register(socketio);
    app.io.on("connection", (socket) => void socket.join(7 as unknown as string));
    const socket = await app.injectIO();
    const told = new Promise((resolve) => socket.once("told", resolve));
    app.io.to(7 as unknown as string).emit("told", "seven");
    expect(await told).toBe("seven");
    expect(() => app.io.to(undefined as unknown as string).emit("told")).not.toThrow();
  });
});
