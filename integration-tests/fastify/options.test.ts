import { socketio, type SocketioOptions } from "@plugboard/fastify";
import Fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { attachPublished } from "./anchor.js";
import { loadPeer } from "./peers.js";

function application(options: object = {}): FastifyInstance {
  const app = Fastify(options);
  onTestFinished(() => app.close());
  return app;
}

async function failure(work: PromiseLike<unknown>): Promise<{ code: string; message: string }> {
  return Promise.resolve(work).then(
    () => {
      throw new Error("nothing was wrong");
    },
    (error: { code: string; message: string }) => error,
  );
}

describe("mistakes", () => {
  it.each<[string, object, string]>([
    ["a path that is none", { path: "socket.io" }, 'a path such as "/socket.io"'],
    ["a prefix that is none", { prefix: "api" }, 'a path such as "/api"'],
    ["a name that is none", { decoratorName: "" }, "decoratorName has to be a name"],
    ["hooks that there are not", { hooks: "some" }, '"all" or "handshake"'],
    ["a time that is none", { closeTimeout: -1 }, "a number of milliseconds"],
    ["a preClose that cannot be called", { preClose: "no" }, "preClose has to be a function"],
    ["an option that is mistyped", { hook: "all" }, 'no option "hook" of socketio (did you mean "hooks"?)'],
    ["an option of the server that is mistyped", { allowReqest: () => {} }, '"allowRequest"'],
    ["an option that does nothing here", { destroyUpgrade: true }, "leave it out"],
    [
      "a hook of the route that is mistyped",
      { routeOptions: { preHandlr: () => {} } },
      "there are onRequest, preParsing",
    ],
    ["a hook of the route that cannot be called", { routeOptions: { preHandler: "no" } }, "has to be a function"],
    ["a handler of the route", { routeOptions: { handler: () => {} } }, "leave it out"],
    ["a limit that there is not", { rateLimit: { handshakes: {} } }, "there are handshake, events"],
    ["limits that are none", { rateLimit: true }, "rateLimit has to be an object"],
    ["an option of sessions that there is not", { session: { onend: "ignore" } }, "there are onEnd, touchEveryMs"],
  ])("in the options, such as %s, say what would be right", async (_name, options, advice) => {
    const error = await failure(application().register(socketio, options as SocketioOptions));
    expect(error.code).toBe("SIO_FASTIFY_INVALID_OPTION");
    expect(error.message).toContain(advice);
  });

  it("in the application, such as HTTP/2, say so", async () => {
    const error = await failure(application({ http2: true }).register(socketio));
    expect(error.code).toBe("SIO_FASTIFY_HTTP2");
    expect(error.message).toContain("in a proxy in front");
  });

  it("of two instances with one name or one path say what to change", async () => {
    const app = application();
    await app.register(socketio);
    const named = await failure(app.register(socketio, { path: "/other" }));
    expect(named).toMatchObject({ code: "SIO_FASTIFY_DECORATOR_TAKEN" });
    expect(named.message).toContain('{ decoratorName: "adminIo" }');
  });

  it("of two instances with one path too", async () => {
    const app = application();
    await app.register(socketio);
    const placed = await failure(app.register(socketio, { decoratorName: "adminIo" }));
    expect(placed).toMatchObject({ code: "SIO_FASTIFY_PATH_TAKEN" });
    expect(placed.message).toContain('{ path: "/admin/io" }');
  });

  it("of CORS that is answered twice come up when the application gets ready", async () => {
    const app = application();
    await app.register(await loadPeer("@fastify/cors"));
    await app.register(socketio, { cors: { origin: "https://app.example" } });
    expect((await failure(app.ready())).code).toBe("SIO_FASTIFY_CORS_TWICE");
  });

  it("of hooks that come too late or are not there are told at once", async () => {
    const app = application();
    await app.register(socketio);
    expect(() => app.io.addHook("preEvents" as "preEvent", () => {})).toThrow("there are onConnect, preEvent");
    await app.ready();
    expect(() => app.io.addHook("preEvent", () => {})).toThrow(
      expect.objectContaining({ code: "SIO_FASTIFY_TOO_LATE" }) as Error,
    );
    expect(() => app.ioNamespace("/late", () => {})).toThrow(
      expect.objectContaining({ code: "SIO_FASTIFY_TOO_LATE" }) as Error,
    );
  });

  it.each<[string, readonly unknown[], string]>([
    ["no handler", [{ schema: {} }], "has to end with a function"],
    ["an option that there is not", [{ preHandlers: [] }, () => 1], "there are schema, preHandler, config"],
    ["a schema in the place of options", [{ type: "object" }, () => 1], "there are schema, preHandler, config"],
    ["a part of the schema that there is not", [{ schema: { body: {} } }, () => 1], "there are payload, ack"],
    ["a preHandler that cannot be called", [{ preHandler: ["no"] }, () => 1], "has to be a function"],
  ])("in an event, such as %s, are told when it is declared", async (_name, rest, advice) => {
    const app = application();
    await app.register(socketio);
    const declare = app.io.event.bind(app.io) as unknown as (name: string, ...rest: readonly unknown[]) => void;
    const error = expect.objectContaining({ code: "SIO_FASTIFY_INVALID_OPTION" }) as Error;
    expect(() => declare("say", ...rest)).toThrow(error);
    expect(() => declare("say", ...rest)).toThrow(advice);
  });

  it.each<[string, readonly unknown[], string]>([
    ["no plugin", [{}], "has to end with a function"],
    ["an option that there is not", [{ preConect: () => {} }, () => {}], "there are preConnect, io"],
    ["a preConnect that cannot be called", [{ preConnect: true }, () => {}], "has to be a function"],
  ])("in a namespace, such as %s, are told when it is declared", async (_name, rest, advice) => {
    const app = application();
    await app.register(socketio);
    const declare = app.ioNamespace.bind(app) as unknown as (name: string, ...rest: readonly unknown[]) => void;
    const error = expect.objectContaining({ code: "SIO_FASTIFY_INVALID_OPTION" }) as Error;
    expect(() => declare("/chat", ...rest)).toThrow(error);
    expect(() => declare("/chat", ...rest)).toThrow(advice);
  });

  it("in the options of ioJwt say what there is", async () => {
    const app = application();
    await app.register(socketio);
    await app.register(await loadPeer("@fastify/jwt"), { secret: "s".repeat(32) });
    expect(() => app.ioJwt({ cookieName: "token" } as object)).toThrow("there are refresh, io, userOf, token, cookie");
  });

  it("in the order of plugins come up when the application gets ready: sessions come first", async () => {
    const app = application();
    await app.register(socketio);
    await app.register(await loadPeer("@fastify/cookie"));
    await app.register(await loadPeer("@fastify/session"), { secret: "s".repeat(32) });
    const error = await failure(app.ready());
    expect(error.code).toBe("SIO_FASTIFY_NO_SESSION");
    expect(error.message).toContain("register it before");
  });

  it("in the order of plugins do no harm where sockets are to have no sessions", async () => {
    const app = application();
    await app.register(socketio, { session: false });
    await app.register(await loadPeer("@fastify/cookie"));
    await app.register(await loadPeer("@fastify/session"), { secret: "s".repeat(32) });
    await app.ready();
    const url = "/socket.io/?EIO=4&transport=polling";
    expect((await app.inject({ url, headers: { origin: "https://elsewhere.example" } })).statusCode).toBe(403);
    expect((await app.inject({ url, headers: { origin: "http://localhost:80" } })).statusCode).toBe(200);
  });

  it("of CORS for the cookies of ioJwt are none: @fastify/cors says who may read", async () => {
    const app = application();
    await app.register(await loadPeer("@fastify/cors"), { origin: "https://app.example", credentials: true });
    await app.register(await loadPeer("@fastify/jwt"), { secret: "s".repeat(32) });
    await app.register(socketio);
    app.ioJwt({ cookie: "token" });
    const url = "/socket.io/?EIO=4&transport=polling";
    expect((await app.inject({ url, headers: { origin: "https://app.example" } })).statusCode).toBe(200);
    expect((await app.inject({ url, headers: { origin: "https://elsewhere.example" } })).statusCode).toBe(403);
  });

  it("of a server that is not there name those that are", async () => {
    const app = application();
    await app.register(socketio);
    expect(() => app.ioNamespace("/x", { io: "adminIo" }, () => {})).toThrow("there are io");
  });
});

describe("the published server attached to the HTTP server", () => {
  it("has no place for a second one", async () => {
    const { app } = await attachPublished();
    await expect(attachPublished(app)).rejects.toMatchObject({ code: "FST_ERR_DEC_ALREADY_PRESENT" });
  });
});
