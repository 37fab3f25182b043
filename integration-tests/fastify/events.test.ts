import { EventError } from "@plugboard/server";
import Fastify, { type FastifyInstance } from "fastify";
import { Type } from "typebox";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { socketio } from "@plugboard/fastify";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { attachPublished } from "./anchor.js";
import { loadPeer } from "./peers.js";
import { listen, startApp } from "./start-app.js";

const start = async (after: (app: FastifyInstance) => unknown, options: Parameters<typeof startApp>[0] = {}) => {
  const { url } = await startApp({ onListenerError: () => {}, ...options }, { after });
  return url;
};

describe.each(bothClients)("io.event, by $name", (client) => {
  it("validates payloads by a schema of TypeBox, and answers with its return value", async () => {
    const url = await start((app) =>
      app.io.event(
        "todo:add",
        {
          schema: {
            payload: Type.Object({ text: Type.String({ maxLength: 5 }) }),
            ack: Type.Object({ id: Type.Number() }),
          },
        },
        ({ text }) => ({ id: text.length }),
      ),
    );
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("todo:add", { text: "abc" })).toEqual({ id: 3 });
    expect(await socket.emitWithAck("todo:add", { text: "abcdef" })).toMatchObject({
      status: "error",
      code: "SIO_INVALID_PAYLOAD",
      data: { issues: [{ path: ["text"], message: "must NOT have more than 5 characters" }] },
    });
    expect(await socket.emitWithAck("todo:add")).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
  });

  it("resolves $ref with the schemas of the scope where it is declared", async () => {
    const url = await start((app) =>
      app.register(async (scope) => {
        scope.addSchema({ $id: "todo", type: "object", required: ["text"], properties: { text: { type: "string" } } });
        scope.io.event("ref", { schema: { payload: { $ref: "todo#" } } }, (todo) => (todo as { text: string }).text);
      }),
    );
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("ref", { text: "a" })).toBe("a");
    expect(await socket.emitWithAck("ref", {})).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
  });

  it("uses the validator compiler of the scope, such as that of fastify-type-provider-zod", async () => {
    const { validatorCompiler } = await loadPeer<{ validatorCompiler: never }>("fastify-type-provider-zod");
    const url = await start((app) => {
      app.setValidatorCompiler(validatorCompiler);
      app.io.event("zod", { schema: { payload: z.object({ n: z.coerce.number().max(9) }) } }, ({ n }) => n);
    });
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("zod", { n: "7" })).toBe(7);
    expect(await socket.emitWithAck("zod", { n: 10 })).toMatchObject({
      code: "SIO_INVALID_PAYLOAD",
      data: { issues: [{ path: ["n"] }] },
    });
  });

  it("uses a validator compiler of the program", async () => {
    const url = await start((app) =>
      app.register(async (scope) => {
        scope.setValidatorCompiler(
          () => (value: unknown) => (value === "good" ? { value: "better" } : { error: new Error("bad") }),
        );
        scope.io.event("own", { schema: { payload: { anything: true } } }, (payload) => payload);
      }),
    );
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("own", "good")).toBe("better");
    expect(await socket.emitWithAck("own", "other")).toMatchObject({ data: { issues: [{ message: "bad" }] } });
  });

  it("validates by a Standard Schema, answers too", async () => {
    const url = await start((app) =>
      app.io.event(
        "std",
        { schema: { payload: z.string().transform((text) => text.length), ack: z.number().max(3) } },
        (n) => n,
      ),
    );
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("std", "abc")).toBe(3);
    expect(await socket.emitWithAck("std", "abcd")).toMatchObject({ status: "error", code: "SIO_INVALID_ACK" });
  });

  it("runs preEvent, schema, preHandler, handler, onAck in that order, and knows the config", async () => {
    const seen: string[] = [];
    const url = await start((app) => {
      app.io.addHook("preEvent", async ({ event, args }) => void seen.push(`preEvent ${event} ${String(args[0])}`));
      app.io.addHook("onAck", (_context, answer) => void seen.push(`onAck ${String(answer)}`));
      app.io.event(
        "n",
        {
          schema: { payload: z.coerce.number() },
          preHandler: [
            ({ args }) => void seen.push(`first ${typeof args[0]}`),
            async ({ config }) => void seen.push(`second ${config?.role}`),
          ],
          config: { role: "admin" },
        },
        (n) => {
          seen.push("handler");
          return n;
        },
      );
    });
    expect(await (await client.connect(url)).emitWithAck("n", "5")).toBe(5);
    expect(seen).toEqual(["preEvent n 5", "first number", "second admin", "handler", "onAck 5"]);
  });

  it("answers what hooks refuse, and tells onEventError and errorHandler", async () => {
    const seen: unknown[] = [];
    const url = await start(
      (app) => {
        app.io.addHook("preEvent", ({ event }) => {
          if (event === "closed") throw new EventError("CLOSED", "not now");
        });
        app.io.addHook("onEventError", async (error) => void seen.push((error as Error).message));
        app.io.event("closed", () => "never");
        app.io.event("fails", () => {
          throw new Error("secret");
        });
      },
      {
        errorHandler: (error) => {
          seen.push(error);
          return (error as Error).message === "secret" ? new EventError("MAPPED", "mapped") : undefined;
        },
      },
    );
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("closed")).toEqual({ status: "error", code: "CLOSED", message: "not now" });
    expect(await socket.emitWithAck("fails")).toEqual({ status: "error", code: "MAPPED", message: "mapped" });
    expect(seen).toEqual(["not now", expect.any(Error), "secret", expect.any(Error)]);
  });

  it("says nothing of an error that nobody maps, logs it, and goes on", async () => {
    const logged: string[] = [];
    const app = Fastify({ logger: { level: "error", stream: { write: (line: string) => void logged.push(line) } } });
    const told: unknown[] = [];
    await app.register(socketio, { errorHandler: (error) => void told.push(error) });
    app.io.event("fails", () => {
      throw new Error("secret");
    });
    app.io.on("connection", (socket) => {
      socket.on("plain", () => {
        throw new Error("from a listener");
      });
    });
    const { url } = await listen(app);
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("fails")).toEqual({
      status: "error",
      code: "SIO_INTERNAL_ERROR",
      message: "Internal server error",
    });
    socket.emit("plain");
    expect(await socket.emitWithAck("fails")).toMatchObject({ status: "error" });
    expect(logged.map((line) => (JSON.parse(line) as { err: Error }).err.message)).toEqual([
      "secret",
      "from a listener",
      "secret",
    ]);
    expect(told).toHaveLength(3);
  });

  it("asks errorHandler once about each failure, whatever is thrown and whatever it makes of it", async () => {
    const asked: unknown[] = [];
    const app = Fastify({ logger: { level: "silent" } });
    await app.register(socketio, {
      errorHandler: (error) => {
        asked.push(error);
        if (error === "mapped") return new Error("another");
        if (error === "thrown") throw new Error("another");
        return undefined;
      },
    });
    for (const name of ["text", "mapped", "thrown"]) {
      app.io.event(name, () => {
        throw name;
      });
    }
    const { url } = await listen(app);
    const socket = await client.connect(url);
    for (const name of ["text", "mapped", "thrown"]) {
      expect(await socket.emitWithAck(name)).toMatchObject({ code: "SIO_INTERNAL_ERROR" });
    }
    expect(asked).toEqual(["text", "mapped", "thrown"]);
  });

  it("keeps the hooks of a scope to its events, and those around it for all", async () => {
    const seen: string[] = [];
    const url = await start(async (app) => {
      app.io.addHook("preEvent", ({ event }) => void seen.push(`root ${event}`));
      app.io.event("a", () => "a");
      await app.register(async (scope) => {
        scope.io.addHook("preEvent", ({ event }) => void seen.push(`one ${event}`));
        scope.io.event("b", () => "b");
        await scope.register(async (inner) => void inner.io.event("c", () => "c"));
      });
      await app.register(async (scope) => void scope.io.event("d", () => "d"));
    });
    const socket = await client.connect(url);
    for (const event of ["a", "b", "c", "d"]) expect(await socket.emitWithAck(event)).toBe(event);
    expect(seen).toEqual(["root a", "root b", "one b", "root c", "one c", "root d"]);
  });

  it("has namespaces as plugins, with preConnect and hooks of their own", async () => {
    const seen: string[] = [];
    const url = await start((app) => {
      app.io.addHook("onConnect", (socket) => void seen.push(`all ${socket.nsp.name}`));
      app.ioNamespace(
        "/chat",
        {
          preConnect: [
            (socket) => {
              if (socket.handshake.auth["token"] !== "good")
                throw new EventError("NO_TOKEN", "log in", { at: "/login" });
            },
            (socket) => void Object.assign(socket.data as object, { user: "ada" }),
          ],
        },
        async (nsp, scope) => {
          nsp.addHook("onConnect", (socket) => void seen.push(`chat ${(socket.data as { user: string }).user}`));
          nsp.addHook("onDisconnect", (_socket, reason) => void seen.push(`left ${reason}`));
          nsp.event("who", (_payload, { socket }) => (socket.data as { user: string }).user);
          scope.io.event("main", () => "main");
        },
      );
      app.io.event("sync", () => "ok");
    });
    const main = await client.connect(url);
    const chat = client.open(`${url}/chat`, { auth: { token: "good" } });
    await nextEvent(chat, "connect");
    expect(await chat.emitWithAck("who")).toBe("ada");
    expect(await main.emitWithAck("main")).toBe("main");
    chat.disconnect();
    const refused = client.open(`${url}/chat`);
    const [error] = await nextEvent<[Error & { data: unknown }]>(refused, "connect_error");
    expect(error.message).toBe("log in");
    expect(error.data).toEqual({ code: "NO_TOKEN", at: "/login" });
    expect(seen).toEqual(["all /", "all /chat", "chat ada", "left client namespace disconnect"]);
  });

  it("has namespaces that several plugins declare: hooks and events of each count", async () => {
    const seen: string[] = [];
    const url = await start((app) => {
      for (const name of ["one", "two"]) {
        app.ioNamespace("/chat", { preConnect: () => void seen.push(`allow ${name}`) }, (nsp) => {
          nsp.addHook("onConnect", () => void seen.push(`connect ${name}`));
          nsp.addHook("preEvent", ({ event }) => void seen.push(`event ${event}`));
          nsp.event(name, () => name);
        });
      }
    });
    const socket = client.open(`${url}/chat`);
    await nextEvent(socket, "connect");
    expect([await socket.emitWithAck("one"), await socket.emitWithAck("two")]).toEqual(["one", "two"]);
    expect(seen).toEqual(["allow one", "allow two", "connect one", "connect two", "event one", "event two"]);
  });

  it("declares events of namespaces that match a pattern", async () => {
    const url = await start((app) => {
      app.ioNamespace(/^\/room-\d+$/, async (nsp) => {
        nsp.addHook("preEvent", ({ args }) => void args.push("hooked"));
        nsp.event("where", (_payload, { socket, args }) => [socket.nsp.name, ...args]);
      });
    });
    for (const name of ["/room-1", "/room-2"]) {
      const socket = client.open(url + name);
      await nextEvent(socket, "connect");
      expect(await socket.emitWithAck("where", "x")).toEqual([name, "x", "hooked"]);
    }
  });

  it("gives sockets a logger of their own", async () => {
    const lines: Record<string, unknown>[] = [];
    const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const app = Fastify({ logger: { level: "info", stream } });
    await app.register(socketio);
    app.io.event("log", (_payload, { socket }) => socket.log.info("said"));
    const { url } = await listen(app);
    const socket = await client.connect(url);
    await socket.emitWithAck("log");
    const line = lines.find(({ msg }) => msg === "said");
    expect(line).toMatchObject({ socketId: socket.id, nsp: "/" });
    expect(line?.["reqId"]).toBeTypeOf("string");
    expect(lines.find(({ msg }) => msg === "request completed")).toMatchObject({ res: { statusCode: 101 } });
  });
});

describe("with the published server", () => {
  it("a failing async handler is never answered", async () => {
    const { app, io } = await attachPublished();
    io.on("connection", (socket) => {
      socket.on("fails", (_ack: () => void) => Promise.reject(new Error("x")).catch(() => {}));
    });
    const { url } = await listen(app);
    const socket = await bothClients[0]!.connect(url);
    await expect(socket.timeout(200).emitWithAck("fails")).rejects.toThrow("operation has timed out");
  });
});
