import {
  socketio,
  type FastifySocket,
  type FastifySocketServer,
  type HookSocket,
  type PluginError,
} from "@plugboard/fastify";
import { EventError, type Server } from "@plugboard/server";
import Fastify, { type FastifyRequest, type FastifyTypeProvider } from "fastify";
import { Type } from "typebox";
import { z } from "zod";
import { describe, expect, test } from "tstyche";

const app = Fastify();

interface Received {
  add: (text: string, ack: (id: number) => void) => void;
}
interface Sent {
  added: (id: number) => void;
}

describe("the plugin", () => {
  test("is registered with options of its own and of the server", () => {
    expect(app.register).type.toBeCallableWith(socketio);
    expect(app.register).type.toBeCallableWith(socketio, { pingInterval: 5, hooks: "all", closeTimeout: 1 });
    expect(app.register).type.not.toBeCallableWith(socketio, { hooks: "some" });
    expect(app.register).type.not.toBeCallableWith(socketio, { addTrailingSlash: true });
  });

  test("gives a server that fits where one is wanted", () => {
    expect(app.io).type.toBeAssignableTo<Server>();
    expect<FastifySocketServer<Received, Sent>>().type.toBeAssignableTo<Server<Received, Sent>>();
  });
});

describe("sockets", () => {
  test("have the request of Fastify and a logger", () => {
    app.io.on("connection", (socket) => {
      expect(socket.request).type.toBe<FastifyRequest>();
      expect(socket.request.ip).type.toBe<string>();
      expect(socket.log.info).type.toBeCallableWith("text");
    });
    app.io.use((socket, next) => {
      expect(socket.request).type.toBe<FastifyRequest>();
      next();
    });
    app.io.of("/chat").on("connection", (socket) => {
      expect(socket.request).type.toBe<FastifyRequest>();
    });
    expect(app.io.of("/chat")).type.not.toHaveProperty("event");
    app.ioNamespace("/chat", { preConnect: (socket) => expect(socket).type.toBe<HookSocket>() }, (nsp) => {
      nsp.on("connection", (socket) => expect(socket.request).type.toBe<FastifyRequest>());
    });
  });

  test("keep the types of their events", () => {
    const socket = {} as FastifySocket<Received, Sent>;
    expect(socket.emit).type.toBeCallableWith("added", 1);
    expect(socket.emit).type.not.toBeCallableWith("added", "1");
  });
});

describe("events", () => {
  test("infer payloads of schemas of TypeBox, of plain JSON Schema and of Standard Schemas", () => {
    app.io.event(
      "t",
      { schema: { payload: Type.Object({ text: Type.String(), n: Type.Optional(Type.Number()) }) } },
      (p) => {
        expect(p.text).type.toBe<string>();
        expect(p.n).type.toBe<number | undefined>();
      },
    );
    app.io.event(
      "j",
      {
        schema: {
          payload: { type: "object", required: ["a"], properties: { a: { type: "array", items: { enum: [1, "b"] } } } },
        },
      },
      (payload) => {
        expect(payload).type.toBe<{ a: (1 | "b")[] }>();
      },
    );
    app.io.event("z", { schema: { payload: z.string().transform(Number) } }, (payload) => {
      expect(payload).type.toBe<number>();
    });
    app.io.event("ref", { schema: { payload: { $ref: "todo#" } } }, (payload) => {
      expect(payload).type.toBe<unknown>();
    });
  });

  test("infer them by the type provider of the application", () => {
    interface Provider extends FastifyTypeProvider {
      readonly validator: this["schema"] extends { readonly kind: infer Kind } ? Kind : unknown;
    }
    app.withTypeProvider<Provider>().io.event("own", { schema: { payload: { kind: "mine" } } }, (payload) => {
      expect(payload).type.toBe<"mine">();
    });
  });

  test("have answers that the schema allows, or an error", () => {
    const schema = { ack: Type.Object({ id: Type.Number() }) };
    app.io.event("ok", { schema }, () => ({ id: 1 }));
    app.io.event("later", { schema }, async () => ({ id: 1 }));
    app.io.event("failed", { schema }, () => ({ status: "error", code: "NO", message: "no" }) as const);
    app.io.event("thrown", { schema }, () => {
      throw new EventError("NO", "no");
    });
    // @ts-expect-error Type 'string' is not assignable to type 'number'.
    app.io.event("wrong", { schema }, () => ({ id: "1" }));
  });

  test("have answers that the schema accepts, whatever it makes of them", () => {
    const schema = { ack: z.string().transform(Number) };
    app.io.event("text", { schema }, () => "1");
    // @ts-expect-error Type 'number' is not assignable to type
    app.io.event("number", { schema }, () => 1);
  });

  test("have answers with lists", () => {
    const items = { type: "array", items: { type: "number" } } as const;
    app.io.event("plain", { schema: { ack: items } }, () => [1]);
    app.io.event("inside", { schema: { ack: Type.Object({ ids: Type.Array(Type.Number()) }) } }, () => ({
      ids: [1, 2],
    }));
    app.io.event("pair", { schema: { ack: z.tuple([z.string(), z.number()]) } }, async () => ["a", 1]);
    app.io.event("bytes", { schema: { ack: z.instanceof(Uint8Array) } }, () => new Uint8Array(1));
    // @ts-expect-error is not assignable to type
    app.io.event("wrong", { schema: { ack: items } }, () => ["1"]);
  });

  test("know their config in hooks and handlers", () => {
    app.io.event(
      "c",
      { config: { role: "admin" }, preHandler: ({ config }) => void config?.role },
      (_payload, { config }) => {
        expect(config?.role).type.toBeAssignableTo<string | undefined>();
      },
    );
    app.io.addHook("onEventError", (error, context) => {
      expect(error).type.toBe<unknown>();
      expect(context.socket).type.toBe<HookSocket>();
    });
    expect(app.io.addHook).type.not.toBeCallableWith("onSomething", () => {});
  });
});

describe("what is decorated", () => {
  test("is typed", async () => {
    const client = await app.injectIO("/chat", { auth: { token: "t" }, cookies: { a: "b" } });
    expect(client.emitWithAck).type.toBeCallableWith("anything", 1);
    expect(({} as FastifyRequest).ioHandshake).type.toBe<boolean>();
    expect(app.ioJwt({ refresh: true }).of).type.toBeCallableWith({} as FastifySocket);
    expect<PluginError>().type.toBeAssignableTo<Error>();
  });
});
