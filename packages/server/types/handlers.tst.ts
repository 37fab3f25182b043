import { type EventContext, EventError, type ErrorAnswer, Server, type Socket, useContract } from "@plugboard/server";
import { defineEvents } from "@plugboard/contract";
import { z } from "zod";
import { describe, expect, test } from "tstyche";

interface Received {
  add: (todo: { text: string }, ack: (answer: { id: number }) => void) => void;
  clear: (ack: (count: number) => void) => void;
  note: (text: string) => void;
  nothing: () => void;
}
interface Sent {
  added: (id: number) => void;
}

declare const socket: Socket<Received, Sent>;
declare const io: Server<Received, Sent>;

describe("a handler", () => {
  test("gets the payload and a context, and returns what the acknowledgement takes", () => {
    socket.handle("add", (todo, context) => {
      expect(todo).type.toBe<{ text: string }>();
      expect(context).type.toBeAssignableTo<EventContext<Socket<Received, Sent>>>();
      expect(context.socket.emit).type.toBeCallableWith("added", 1);
      return { id: 1 };
    });
    socket.handle("clear", async (payload) => {
      expect(payload).type.toBe<undefined>();
      return 5;
    });
    socket.handle("note", (text) => {
      expect(text).type.toBe<string>();
    });
    socket.handle("nothing", (payload) => {
      expect(payload).type.toBe<undefined>();
    });
  });

  test("may answer an error in place of the value, and nothing else", () => {
    const failure: ErrorAnswer = { status: "error", code: "X", message: "x" };
    expect(socket.handle).type.toBeCallableWith("add", () => failure);
    expect(socket.handle).type.toBeCallableWith("add", async () => ({ id: 1 }));
    expect(socket.handle).type.not.toBeCallableWith("add", () => ({ id: "1" }));
    expect(socket.handle).type.not.toBeCallableWith("add", () => {});
    expect(socket.handle).type.not.toBeCallableWith("unknown", () => {});
  });

  test("behind a schema gets what the schema makes", () => {
    const step = (context: EventContext): void => void context.args;
    socket.handle("add", z.object({ text: z.string().transform((text) => text.length) }), step, ({ text }) => {
      expect(text).type.toBe<number>();
      return { id: text };
    });
    io.handle("note", step, (text) => {
      expect(text).type.toBe<string>();
    });
  });

  test("of a server without event maps may be anything", () => {
    new Server().handle("any", (payload, { socket }) => {
      expect(payload).type.toBe<any>();
      return [payload, socket.id];
    });
  });
});

describe("a contract", () => {
  const contract = defineEvents({
    client: { add: { payload: z.object({ at: z.coerce.date() }), ack: z.object({ id: z.number() }) } },
    server: { added: { payload: z.object({ id: z.number() }) } },
  });

  test("types the server, or namespace, that uses it", () => {
    const typed = useContract(new Server(), contract);
    typed.handle("add", ({ at }) => {
      expect(at).type.toBe<Date>();
      return { id: at.getTime() };
    });
    expect(typed.emit).type.toBeCallableWith("added", { id: 1 });
    expect(typed.emit).type.not.toBeCallableWith("added", { id: "1" });
    expect(typed.handle).type.not.toBeCallableWith("remove", () => {});
    typed.on("connection", (connected) => {
      expect(connected.emit).type.toBeCallableWith("added", { id: 1 });
      connected.on("add", (payload, ack) => {
        expect(payload).type.toBe<{ at: Date }>();
        expect(ack).type.toBeCallableWith({ id: 1 });
      });
    });
    useContract(new Server().of("/x"), contract).handle("add", () => ({ id: 1 }));
  });
});

describe("rooms by permission", () => {
  test("have the parameters of their pattern", () => {
    io.authorize("shops/:shop/orders/:order", (joining, params) => {
      expect(params).type.toBe<{ readonly shop: string; readonly order: string }>();
      return joining.id === params.shop;
    });
    io.authorize("news", async (_socket, params) => {
      expect(params).type.toBe<{}>();
      return true;
    });
    expect(io.authorize).type.not.toBeCallableWith("news", () => "yes");
  });
});

describe("what holds for all namespaces", () => {
  test("hooks, checks and endings", () => {
    io.useError((error, { event, socket: failing }) => {
      expect(error).type.toBe<unknown>();
      expect(event).type.toBe<string>();
      expect(failing.id).type.toBe<string>();
      return new EventError("CODE", "message", { any: "data" });
    });
    io.useAlways((admitted, next) => {
      expect(admitted.recovered).type.toBe<boolean>();
      next();
    });
    io.confirmRecovery(async ({ session, request, auth, namespace }) => {
      expect(session.rooms).type.toBe<readonly string[]>();
      expect(namespace.name).type.toBe<string>();
      return request.headers.cookie !== undefined && auth["token"] !== undefined;
    });
    expect(io.endSockets).type.toBeCallableWith("room", "rehandshake", "reason");
    expect(io.endSockets).type.toBeCallableWith(["a", "b"], "disconnect");
    expect(io.endSockets).type.not.toBeCallableWith("room", "kill");
  });
});
