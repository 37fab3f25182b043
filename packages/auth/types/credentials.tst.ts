import { credentials, type Credentials, type CredentialsHandle, type RevocationStore } from "@plugboard/auth";
import { renewCredentials } from "@plugboard/auth/client";
import { io as connect, type Socket as ClientSocket } from "@plugboard/client";
import { Server, type Socket } from "@plugboard/server";
import type { Socket as StockSocket } from "socket.io-client";
import { describe, expect, test } from "tstyche";

// Optional, because the whole program of type tests sees it.
declare module "@plugboard/auth" {
  interface Credentials {
    readonly plan?: "free" | "paid";
  }
}

interface ListenEvents {
  hello: (name: string) => void;
}

describe("credentials", () => {
  const io = new Server<ListenEvents, { news: () => void }, {}, { page: number }>();

  test("of a socket are what verify gives, through the handle", () => {
    const auth = credentials(io, { verify: async () => ({ user: "5", roles: ["admin"] }) });
    expect(auth).type.toBe<CredentialsHandle<{ user: string; roles: string[] }>>();
    io.on("connection", (socket) => expect(auth.of(socket).roles).type.toBe<string[]>());
  });

  test("of a socket may be missing, and have what the program adds", () => {
    expect<Socket["credentials"]>().type.toBe<Credentials | undefined>();
    expect<NonNullable<Socket["credentials"]>["plan"]>().type.toBe<"free" | "paid" | undefined>();
    expect<NonNullable<Socket<ListenEvents>["credentials"]>["user"]>().type.toBe<string>();
  });

  test("come from verify, which gives a user or nothing, now or later", () => {
    expect(credentials).type.toBeCallableWith(io, { verify: () => undefined });
    expect(credentials).type.toBeCallableWith(io, { verify: async () => ({ user: "5", expiresAt: 1 }) });
    expect(credentials).type.not.toBeCallableWith(io, { verify: () => ({ name: "ada" }) });
    expect(credentials).type.not.toBeCallableWith(io, { verify: () => ({ user: 5 }) });
    expect(credentials).type.not.toBeCallableWith(io, { verify: () => ({ user: "5", plan: "cheap" }) });
    expect(credentials).type.not.toBeCallableWith(io, {});
  });

  test("are revoked by user, token or session", () => {
    expect(io.revoke).type.toBeCallableWith({ user: "5", tokenId: undefined });
    expect(io.revoke).type.toBeCallableWith({ session: "s" }, { how: "disconnect", until: 1, reason: "logout" });
    expect(io.revoke).type.not.toBeCallableWith({ user: 5 });
    expect(io.revoke).type.not.toBeCallableWith({ sid: "s" });
    expect(io.revoke({ user: "5" })).type.toBe<Promise<void>>();
  });

  test("a store may be synchronous or not, and say null for what it has not", () => {
    expect<{ add(): void; find(keys: readonly string[]): number[] }>().type.toBeAssignableTo<RevocationStore>();
    expect<{ add(): Promise<void>; find(): Promise<(number | null)[]> }>().type.toBeAssignableTo<RevocationStore>();
    expect<{ add(): void; find(): boolean }>().type.not.toBeAssignableTo<RevocationStore>();
  });
});

describe("renewCredentials", () => {
  test("takes sockets of both clients, whatever their events", () => {
    expect(renewCredentials).type.toBeCallableWith(connect());
    expect(renewCredentials).type.toBeCallableWith({} as ClientSocket<{ news: () => void }, ListenEvents>);
    expect(renewCredentials).type.toBeCallableWith({} as StockSocket);
    expect(renewCredentials).type.toBeCallableWith({} as StockSocket<{ news: () => void }, ListenEvents>);
    expect(renewCredentials).type.not.toBeCallableWith({});
  });
});
