/*
 * What an application says of itself by `interface Register`. It holds for the whole program, so this one stands alone: an `.mts` file
 * belongs to no other project, and sees the built package as users do.
 */
import socketio, { type FastifySocket, type FastifySocketServer, type HookContext } from "@plugboard/fastify";
import Fastify, { type FastifyRequest } from "fastify";
import { describe, expect, test } from "tstyche";

declare module "@plugboard/fastify" {
  interface Register {
    events: {
      client: { add: (text: string, ack: (id: number) => void) => void };
      server: { added: (id: number) => void };
    };
    data: { user: string };
  }
}

const app = Fastify();

describe("an application with Register", () => {
  test("types app.io, its sockets and namespaces", () => {
    expect(app.io.emit).type.toBeCallableWith("added", 1);
    expect(app.io.emit).type.not.toBeCallableWith("added", "1");
    expect(app.io.emit).type.not.toBeCallableWith("other", 1);
    app.io.on("connection", (socket) => {
      expect(socket.data.user).type.toBe<string>();
      expect(socket.request).type.toBe<FastifyRequest>();
      expect(socket.emit).type.not.toBeCallableWith("add", "a");
      socket.on("add", (text, ack) => {
        expect(text).type.toBe<string>();
        ack(1);
      });
    });
    app.io.of("/chat").on("connection", (socket) => {
      expect(socket.data).type.toBe<{ user: string }>();
    });
    app.ioNamespace("/chat", (nsp) => {
      expect(nsp.emit).type.toBeCallableWith("added", 1);
      expect(nsp.emit).type.not.toBeCallableWith("other");
    });
  });

  test("types the sockets of handlers, also those that plain hooks run before", () => {
    const log = ({ socket }: HookContext): void => socket.log.info("asked");
    app.io.event("add", { preHandler: [log] }, (_payload, { socket }) => {
      expect(socket.data.user).type.toBe<string>();
      expect(socket.request).type.toBe<FastifyRequest>();
      expect(socket.to("board").emit).type.toBeCallableWith("added", 1);
      expect(socket.to("board").emit).type.not.toBeCallableWith("added", "1");
    });
    app.ioNamespace("/chat", (nsp) => {
      nsp.event("say", (_payload, { socket }) => {
        expect(socket.emit).type.not.toBeCallableWith("other");
      });
    });
  });

  test("types request.io, and the sockets that handlers of plugins name", () => {
    app.get("/", async (request) => {
      expect(request.io.to("room").emit).type.toBeCallableWith("added", 1);
      expect(request.io.to("room").emit).type.not.toBeCallableWith("added", "1");
    });
    expect<FastifySocket["data"]>().type.toBe<{ user: string }>();
    expect<FastifySocketServer["emit"]>().type.toBeCallableWith("added", 1);
    expect(app.register).type.toBeCallableWith(socketio, {
      preClose: (io: FastifySocketServer) => io.emit("added", 1),
    });
  });

  test("types clients of tests, the other way round", async () => {
    const client = await app.injectIO();
    expect(client.emit).type.toBeCallableWith("add", "a", (id: number) => void id);
    expect(client.emit).type.not.toBeCallableWith("added", 1);
    expect(await client.emitWithAck("add", "a")).type.toBe<number>();
    client.on("added", (id) => expect(id).type.toBe<number>());
  });
});
