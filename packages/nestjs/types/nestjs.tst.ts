import type { Observable } from "rxjs";
import { defineEvents, type AsyncApiDocument, type StandardSchema } from "@plugboard/contract";
import { createTestClient, SocketIoAdapter, SocketIoModule, WsEvent, type SocketIoOptions } from "@plugboard/nestjs";
import type { Server, Socket } from "@plugboard/server";
import { describe, expect, test } from "tstyche";

interface Room {
  room: string;
}
interface Members {
  members: number;
}
declare const room: StandardSchema<Room>;
declare const members: StandardSchema<Members>;
const contract = defineEvents({
  client: { join: { payload: room, ack: members }, leave: { payload: room }, ping: { ack: members }, bye: {} },
  server: { joined: { payload: room } },
});

/** What a decorator is handed of a method. */
declare function method<Method>(): TypedPropertyDescriptor<Method>;
const target = {};

describe("@WsEvent", () => {
  test("takes events that clients send, by their names", () => {
    expect(WsEvent).type.toBeCallableWith(contract, "join");
    expect(WsEvent).type.not.toBeCallableWith(contract, "joined");
    expect(WsEvent).type.not.toBeCallableWith(contract, "jion");
  });

  test("wants a parameter that takes the payload, or a member of it", () => {
    const join = WsEvent(contract, "join");
    expect(join).type.toBeCallableWith(target, "join", method<(body: Room) => Members>());
    expect(join).type.toBeCallableWith(target, "join", method<(socket: Socket, body: Room) => Members>());
    expect(join).type.toBeCallableWith(target, "join", method<(room: string) => Members>());
    expect(join).type.toBeCallableWith(target, "join", method<(body?: Room) => Members>());
    expect(join).type.toBeCallableWith(target, "join", method<(body: unknown) => Members>());
    expect(join).type.toBeCallableWith(target, "join", method<(body: Room, socket: Socket) => Members>());
    expect(join).type.toBeCallableWith(target, "join", method<() => Members>());
    expect(join).type.not.toBeCallableWith(target, "join", method<(body: { rooms: string[] }) => Members>());
    expect(join).type.not.toBeCallableWith(target, "join", method<(socket: Socket) => Members>());
  });

  test("wants the answer, in any way that Nest takes one", () => {
    const join = WsEvent(contract, "join");
    type Refused = { status: "error"; code: string; message: string };
    expect(join).type.toBeCallableWith(target, "join", method<(body: Room) => Promise<Members>>());
    expect(join).type.toBeCallableWith(target, "join", method<(body: Room) => Observable<Members>>());
    expect(join).type.toBeCallableWith(target, "join", method<(body: Room) => { event: string; data: Members }>());
    expect(join).type.toBeCallableWith(target, "join", method<(body: Room) => Promise<Members | Refused>>());
    expect(join).type.not.toBeCallableWith(target, "join", method<(body: Room) => { count: number }>());
    expect(join).type.not.toBeCallableWith(target, "join", method<(body: Room) => Promise<void>>());
    expect(join).type.not.toBeCallableWith(target, "join", method<(body: Room) => void>());
  });

  test("wants no answer of a method that takes the acknowledgement, or of an event without one", () => {
    const byHand = method<(body: Room, ack: (answer: Members) => void) => void>();
    expect(WsEvent(contract, "join")).type.toBeCallableWith(target, "join", byHand);
    expect(WsEvent(contract, "leave")).type.toBeCallableWith(target, "leave", method<(body: Room) => void>());
  });

  test("wants no payload of an event without one", () => {
    expect(WsEvent(contract, "ping")).type.toBeCallableWith(target, "ping", method<(socket: Socket) => Members>());
    expect(WsEvent(contract, "ping")).type.not.toBeCallableWith(target, "ping", method<(socket: Socket) => void>());
    expect(WsEvent(contract, "bye")).type.toBeCallableWith(target, "bye", method<(socket: Socket) => void>());
  });
});

describe("options", () => {
  test("are those of the server and of the integration", () => {
    expect<{ path: string; acks: "compat" }>().type.toBeAssignableTo<SocketIoOptions>();
    expect<{ acks: { errors: "both"; observable: "all" } }>().type.toBeAssignableTo<SocketIoOptions>();
    expect<{ acks: { errors: "none" } }>().type.not.toBeAssignableTo<SocketIoOptions>();
    expect<{ connectionGuards: "all" }>().type.not.toBeAssignableTo<SocketIoOptions>();
  });

  test("of the module may be made of other providers", () => {
    expect(SocketIoModule.forRoot).type.toBeCallableWith();
    expect(SocketIoModule.forRoot).type.toBeCallableWith({ cors: { origin: "*" }, isGlobal: false });
    expect(SocketIoModule.forRoot).type.not.toBeCallableWith({ cors: 1 });
    expect(SocketIoModule.forRootAsync).type.toBeCallableWith({ useFactory: async () => ({ path: "/ws" }) });
    expect(SocketIoModule.forRootAsync).type.not.toBeCallableWith({ useFactory: () => ({ path: 1 }) });
  });
});

describe("the adapter", () => {
  const app = { get: <T>(): T => undefined as T, init: async (): Promise<unknown> => undefined };

  test("needs the application and gives the server", () => {
    expect(SocketIoAdapter).type.toBeConstructableWith(app);
    expect(SocketIoAdapter).type.not.toBeConstructableWith();
    expect(new SocketIoAdapter(app).server).type.toBe<Server>();
  });

  test("gives typed clients, and documents", () => {
    interface Sent {
      said: (text: string) => void;
    }
    const client = createTestClient<Sent, Record<string, never>>(app, "/chat");
    void client.then(({ on }) => {
      expect(on).type.toBeCallableWith("said", (text: string) => text.length);
      expect(on).type.not.toBeCallableWith("said", (count: number) => count);
    });
    expect(SocketIoModule.createAsyncApi(app, { title: "", version: "" })).type.toBe<AsyncApiDocument>();
    expect(SocketIoModule.createAsyncApi).type.not.toBeCallableWith(app, { title: "" });
  });
});
