import { socketio } from "@plugboard/fastify";
import Fastify, { type FastifyInstance } from "fastify";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { bothClients } from "../support/both-clients.js";
import { listen, startApp } from "./start-app.js";

async function application(declare: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
  const app = Fastify();
  onTestFinished(() => app.close());
  await app.register(socketio);
  await declare(app);
  return app;
}

const invalid = (message: string) =>
  expect.objectContaining({ code: "SIO_FASTIFY_INVALID_SCHEMA", message: expect.stringContaining(message) as string });

describe("a schema of io.event that does not compile", () => {
  it.each<[string, object, string]>([
    ["payload", { payload: { type: "nonsense" } }, 'payload of the event "bad" of /'],
    ["answer", { ack: { $ref: "missing#" } }, 'answer of the event "bad" of /'],
    ["keyword", { payload: { type: "string", maxLength: "5" } }, "maxLength"],
    ["value that is none", { payload: 5 }, "payload"],
  ])("keeps the application from starting: %s", async (_what, schema, message) => {
    const app = await application((it) => it.io.event("bad", { schema }, () => {}));
    await expect(app.ready()).rejects.toEqual(invalid(message));
    await expect(app.listen({ port: 0, host: "127.0.0.1" })).rejects.toEqual(invalid("addSchema"));
  });

  it("is named with its namespace, in a scope too", async () => {
    const app = await application((it) => {
      it.ioNamespace("/chat", (nsp) => nsp.event("say", { schema: { payload: { $ref: "nothing#" } } }, () => {}));
    });
    await expect(app.ready()).rejects.toEqual(invalid('"say" of /chat'));
  });

  it("is told of where it is registered, when the application is ready already", async () => {
    const app = await application(() => {});
    await app.ready();
    expect(() => app.io.event("bad", { schema: { payload: { type: "nonsense" } } }, () => {})).toThrow(
      invalid('"bad" of /') as never,
    );
    // And it is not half registered.
    app.io.event("bad", { schema: { payload: { type: "string" } } }, () => {});
  });

  it("is refused by compilers of the program too", async () => {
    const app = await application((it) => {
      it.setValidatorCompiler(() => {
        throw new Error("not like this");
      });
      it.io.event("bad", { schema: { payload: { type: "string" } } }, () => {});
    });
    await expect(app.ready()).rejects.toEqual(invalid("not like this"));
  });
});

describe("a schema of io.event that compiles", () => {
  it("may refer to what is added behind it, and may come when the application is ready", async () => {
    const { app, url } = await startApp(
      {},
      {
        after: (it) => {
          it.io.event("early", { schema: { payload: { $ref: "name#" } } }, (name) => name);
          it.addSchema({ $id: "name", type: "string", maxLength: 3 });
        },
      },
    );
    app.io.event("late", { schema: { payload: { $ref: "name#" } } }, (name) => name);
    const socket = await bothClients[0]!.connect(url);
    for (const event of ["early", "late"]) {
      expect(await socket.emitWithAck(event, "abc")).toBe("abc");
      expect(await socket.emitWithAck(event, "abcd")).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
    }
  });

  it("keeps the options of Ajv, and leaves routes of the same scope as they are", async () => {
    const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: "all" } } });
    await app.register(socketio);
    const schema = { type: "object", properties: { n: { type: "number" } } } as const;
    app.post("/n", { schema: { body: schema } }, (request) => request.body);
    app.io.event("n", { schema: { payload: schema } }, (payload) => payload);
    const { url } = await listen(app);
    const socket = await bothClients[0]!.connect(url);
    expect(await socket.emitWithAck("n", { n: 1, m: 2 })).toEqual({ n: 1 });
    expect(await socket.emitWithAck("n", { n: "1" })).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
    expect((await app.inject({ method: "POST", url: "/n", body: { n: 1, m: 2 } })).json()).toEqual({ n: 1 });
    expect((await app.inject({ method: "POST", url: "/n", body: { n: "1" } })).statusCode).toBe(400);
  });

  it("holds for events that come before the application is ready, to another HTTP server", async () => {
    const app = await application((it) => {
      it.io.event("n", { schema: { payload: { type: "number" } } }, (n) => n);
    });
    const server = createServer();
    onTestFinished(() => void server.close());
    app.io.attach(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const socket = await bothClients[0]!.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await socket.emitWithAck("n", 1)).toBe(1);
    expect(await socket.emitWithAck("n", "x")).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
    await app.ready();
    expect(await socket.emitWithAck("n", "x")).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
  });

  it("needs no compiler when it validates itself", async () => {
    const { url } = await startApp(
      {},
      {
        after: (it) => {
          it.setValidatorCompiler(() => {
            throw new Error("not asked");
          });
          it.io.event("z", { schema: { payload: z.string() } }, (text) => text);
        },
      },
    );
    const socket = await bothClients[0]!.connect(url);
    expect(await socket.emitWithAck("z", "a")).toBe("a");
  });
});
