import { Server, type Socket } from "@plugboard/server";
import {
  fromExpressStore,
  fromRequest,
  perEvent,
  SocketSessions,
  type DeepReadonly,
  type SessionData,
  type SocketSession,
} from "@plugboard/session";
import { describe, expect, test } from "tstyche";

declare module "@plugboard/session" {
  interface SessionData {
    user?: string;
    cart?: string[];
  }
}

describe("the session of a socket", () => {
  test("is there on the sockets of every server, with the data that the program has declared", () => {
    new Server<{ hello: () => void }>().on("connection", (socket) => {
      expect(socket.session.data.user).type.toBe<string | undefined>();
      expect(socket.session.data.cart).type.toBe<readonly string[] | undefined>();
      expect(socket.session.draft).type.toBe<SessionData>();
    });
  });

  test("can be changed within update alone", async () => {
    const { session } = {} as Socket;
    await session.update((data) => {
      expect(data).type.toBe<SessionData>();
      data.cart = ["a"];
    });
    expect(session.update).type.toBeCallableWith(async (data: SessionData) => void (data.user = "ada"));
    expect<Pick<typeof session.data, "user">>().type.not.toBeAssignableFrom<{ user: number }>();
    expect<DeepReadonly<{ a: { b: number[] } }>>().type.toBe<{ readonly a: { readonly b: readonly number[] } }>();
  });

  test("may have a type of its own", () => {
    const session = {} as SocketSession<{ n: number }>;
    expect(session.data).type.toBe<{ readonly n: number }>();
    expect(session.update((data) => data.n++)).type.toBe<Promise<{ readonly n: number }>>();
  });

  test("tells of changes and of its end", () => {
    const { session } = {} as Socket;
    session.on("changed", (data) => expect(data).type.toBe<DeepReadonly<SessionData>>());
    session.on("ended", (why) => expect(why).type.toBe<"destroyed" | "expired">());
    expect(session.on).type.not.toBeCallableWith("lost", () => {});
  });
});

describe("SocketSessions", () => {
  test("takes a store that was brought to its port, and nothing else", () => {
    const io = new Server();
    expect(SocketSessions).type.toBeConstructableWith(io, { store: fromRequest() });
    expect(SocketSessions).type.not.toBeConstructableWith(io, {});
    expect(SocketSessions).type.not.toBeConstructableWith(io, { store: fromRequest(), onEnd: "close" });
    expect(fromExpressStore).type.not.toBeCallableWith({ get() {} });
  });

  test("perEvent keeps the types of a handler", () => {
    const handler = perEvent((item: string, _context: { socket: Socket }) => item.length);
    expect(handler).type.toBe<(item: string, _context: { socket: Socket }) => Promise<number>>();
  });
});
