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
    ["an option that does nothing here", { destroyUpgrade: true }, "leave it out"],
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
