import type { IncomingMessage } from "node:http";
import { type ListenerFailure, Server, Socket } from "@plugboard/server";
import { describe, expect, test } from "tstyche";

declare module "@plugboard/server" {
  interface Socket {
    traceId?: string;
  }
}

describe("what the reference does not have", () => {
  test("close takes a callback or limits", () => {
    const io = new Server();
    expect(io.close()).type.toBe<Promise<void>>();
    expect(io.close).type.toBeCallableWith((_error?: Error) => {});
    expect(io.close).type.toBeCallableWith({ timeoutMs: 1_000, closeHttpServer: false });
    expect(io.close).type.not.toBeCallableWith({ timeout: 1_000 });
  });

  test("the request of a socket may have the type of a framework", () => {
    interface FrameworkRequest {
      session: { user: string };
    }
    expect<Socket["request"]>().type.toBe<IncomingMessage>();
    expect<Socket<{}, {}, {}, {}, FrameworkRequest>["request"]>().type.toBe<FrameworkRequest>();
  });

  test("a socket can make its client connect anew", () => {
    const socket = {} as Socket;
    expect(socket.rehandshake).type.toBeCallableWith();
    expect(socket.rehandshake).type.toBeCallableWith("session expired");
  });

  test("failures of listeners can be caught in one place", () => {
    const io = new Server({
      onListenerError: (failure) => {
        expect(failure).type.toBeAssignableTo<ListenerFailure>();
        expect(failure.error).type.toBe<unknown>();
        failure.socket?.disconnect(true);
        failure.ack?.({ status: "error" });
      },
    });
    expect(io).type.toHaveProperty("onListenerError");
    expect(Server).type.toBeConstructableWith({ compat: true });
  });

  test("a program can add members to the sockets of every server", () => {
    new Server<{ hello: () => void }>().on("connection", (socket) => {
      expect(socket.traceId).type.toBe<string | undefined>();
    });
  });
});
