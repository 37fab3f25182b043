import { renewCredentials } from "@plugboard/auth/client";
import { VerifierUnavailableError } from "@plugboard/auth";
import { defineEvents } from "@plugboard/contract";
import { useContract, type Socket as ServerSocket } from "@plugboard/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { sign, startAuthServer, verify } from "./auth-server.js";
import { clients, open, oursOverWebSocket, stockOverWebSocket, type ConnectError } from "./clients.js";

/** Of tokens whose end a test brings about, in milliseconds. Clients are asked for another when half of it is over. */
const LIFE_MS = 60_000;

/** From then on time passes by `vi.advanceTimersByTime`, and as slowly as ever between. */
function takeClock(): void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    shouldAdvanceTime: true,
  });
}
afterEach(() => void vi.useRealTimers());
const untilAsked = (): void => void vi.advanceTimersByTime(LIFE_MS / 2 + 1000);
const untilOver = (): void => void vi.advanceTimersByTime(LIFE_MS + 1000);

/** Gives a new token each time, and counts how often. */
function freshTokens(lastsMs: number): { count: number; auth: (answer: (auth: object) => void) => void } {
  const source = {
    count: 0,
    auth: (answer: (auth: object) => void) => {
      source.count++;
      void sign({ lastsMs }).then((token) => answer({ token }));
    },
  };
  return source;
}

describe.each(clients)("$name", (kind) => {
  it.each([
    ["auth", (token: string) => ({ auth: { token } })],
    ["a header", (token: string) => ({ extraHeaders: { authorization: `Bearer ${token}` } })],
    ["a cookie", (token: string) => ({ extraHeaders: { cookie: `theme=dark; token=${token}` } })],
  ])("gets in with a token in %s", async (_where, optionsFor) => {
    const { io, url } = await startAuthServer({ cookie: "token" });
    const accepted = nextEvent<[ServerSocket]>(io, "connection");
    const client = open(kind, url, optionsFor(await sign({ user: "ada", tokenId: "t", session: "s" })));
    await nextEvent(client, "connect");
    const [socket] = await accepted;
    expect(socket.credentials).toMatchObject({ user: "ada", tokenId: "t", session: "s" });
  });

  it("is refused without a token, does not try again by itself, and gets in once it has one", async () => {
    const { url } = await startAuthServer();
    const client = open(kind, url, { auth: {} });
    const [error] = await nextEvent<[ConnectError]>(client, "connect_error");
    expect(error.message).toBe("valid credentials are required");
    expect(error.data).toEqual({ code: "SIO_UNAUTHORIZED" });
    expect(client.active).toBe(false);
    client.auth = { token: await sign() };
    client.connect();
    await nextEvent(client, "connect");
  });

  it("with an auth function that gives fresh tokens is back by itself after each end of its credentials", async () => {
    takeClock();
    const { io, url } = await startAuthServer({ renewBeforeMs: 0 });
    const ends: unknown[] = [];
    io.on("connection", (socket) => socket.on("disconnect", (...details) => ends.push(details)));
    const tokens = freshTokens(LIFE_MS);
    const client = open(kind, url, { auth: tokens.auth });
    await nextEvent(client, "connect");
    for (let stay = 1; stay < 3; stay++) {
      expect(tokens.count).toBe(stay);
      untilOver();
      await nextEvent(client, "connect");
    }
    expect(tokens.count).toBe(3);
    expect(ends).toEqual(Array(2).fill(["forced server close", "credentials expired"]));
  });

  it("with a fixed token is told that it has expired, and gets in once it has another", async () => {
    takeClock();
    const { url } = await startAuthServer();
    const client = open(kind, url, { auth: { token: await sign({ lastsMs: LIFE_MS }) } });
    await nextEvent(client, "connect");
    untilOver();
    const [reason] = await nextEvent(client, "disconnect");
    expect(reason).not.toBe("io server disconnect");
    const [error] = await nextEvent<[ConnectError]>(client, "connect_error");
    expect(error.data).toEqual({ code: "SIO_CREDENTIALS_EXPIRED" });
    expect(client.active).toBe(false);
    client.auth = { token: await sign() };
    client.connect();
    await nextEvent(client, "connect");
  });

  it("stays away when it is told to at the end of its credentials", async () => {
    takeClock();
    const { url } = await startAuthServer({ onExpiry: "disconnect" });
    const client = open(kind, url, { auth: { token: await sign({ lastsMs: LIFE_MS }) } });
    await nextEvent(client, "connect");
    untilOver();
    expect(await nextEvent(client, "disconnect")).toEqual(["io server disconnect", undefined]);
    expect(client.active).toBe(false);
  });

  it("renews its credentials on the open connection", async () => {
    takeClock();
    const { io, url } = await startAuthServer();
    const tokens = freshTokens(LIFE_MS);
    const client = open(kind, url, { auth: tokens.auth });
    if (kind.isStock) renewCredentials(client);
    await nextEvent(client, "connect");
    const { id } = client;
    const [socket] = io.sockets.sockets.values();
    const first = socket?.credentials;
    untilAsked();
    await nextEvent(client, "auth:expiring");
    while (socket?.credentials === first) await nextTurn();
    expect(tokens.count).toBe(2);
    expect(socket?.credentials?.tokenId).not.toBe(first?.tokenId);
    expect(socket?.credentials?.expiresAt).toBeGreaterThan(first?.expiresAt ?? Infinity);
    expect(client.id).toBe(id);
  });

  it("renews them with one line of the program", async () => {
    takeClock();
    const { io, url } = await startAuthServer();
    const client = open(kind, url, { auth: { token: await sign({ lastsMs: LIFE_MS }) } });
    const longer = await sign();
    client.on("auth:expiring", (_details, answer) => answer({ token: longer }));
    await nextEvent(client, "connect");
    const [socket] = io.sockets.sockets.values();
    untilAsked();
    await nextEvent(client, "auth:expiring");
    while ((socket?.credentials?.expiresAt ?? 0) < Date.now() + LIFE_MS) await nextTurn();
    expect(client.connected).toBe(true);
  });

  it("that shows the token of another user is back as that user", async () => {
    takeClock();
    const { io, url } = await startAuthServer();
    const users = ["ada", "bob"];
    const auth = (answer: (auth: object) => void): void =>
      void sign({ user: users.shift() ?? "bob", lastsMs: users.length === 1 ? LIFE_MS : 10 * LIFE_MS }).then((token) =>
        answer({ token }),
      );
    const client = open(kind, url, { auth });
    if (kind.isStock) renewCredentials(client);
    await nextEvent(client, "connect");
    const { id } = client;
    untilAsked();
    await nextEvent(client, "connect");
    expect(client.id).not.toBe(id);
    expect([...io.sockets.sockets.values()].map(({ credentials }) => credentials?.user)).toEqual(["bob"]);
  });

  it("whose token is revoked is refused with it, and gets in after a new login", async () => {
    const { io, url } = await startAuthServer();
    const client = open(kind, url, { auth: { token: await sign({ user: "ada" }) } });
    const other = open(kind, url, { auth: { token: await sign({ user: "bob" }) } });
    await Promise.all([nextEvent(client, "connect"), nextEvent(other, "connect")]);
    const refused = nextEvent<[ConnectError]>(client, "connect_error");
    await io.revoke({ user: "ada" });
    expect((await refused)[0].data).toEqual({ code: "SIO_CREDENTIALS_REVOKED" });
    expect(client.active).toBe(false);
    expect(other.connected).toBe(true);
    client.auth = { token: await sign({ user: "ada" }) };
    client.connect();
    await nextEvent(client, "connect");
  });

  it("that logs out is not recovered by whoever comes next, not even by itself", async () => {
    const { io, url } = await startAuthServer({}, { connectionStateRecovery: {} });
    let session = "s1";
    const client = open(kind, url, {
      auth: (answer: (auth: object) => void) => void sign({ session }).then((token) => answer({ token })),
    });
    await nextEvent(client, "connect");
    const greeted = nextEvent(client, "hello");
    io.emit("hello");
    await greeted;
    session = "s2";
    const back = nextEvent(client, "connect");
    await io.revoke({ session: "s1" });
    await back;
    expect(client.recovered).toBe(false);
  });

  it("that was just cut off is recovered with its credentials verified", async () => {
    const verified: string[] = [];
    const { io, url } = await startAuthServer(
      {
        verify: (token) => {
          verified.push(token);
          return verify(token);
        },
      },
      { connectionStateRecovery: {} },
    );
    const client = open(kind, url, { auth: freshTokens(60_000).auth });
    await nextEvent(client, "connect");
    const greeted = nextEvent(client, "hello");
    io.emit("hello");
    await greeted;
    const back = nextEvent(client, "connect");
    for (const socket of io.sockets.sockets.values()) socket.conn.close();
    await back;
    expect(client.recovered).toBe(true);
    const [socket] = io.sockets.sockets.values();
    expect(new Set(verified).size).toBe(2);
    expect(socket?.credentials?.tokenId).toBe((await verify(verified[1]!)).tokenId);
  });

  it("is not stranded while it cannot be verified", async () => {
    let attempts = 0;
    const { url } = await startAuthServer({
      verify: (token) => {
        if (++attempts < 3) throw new VerifierUnavailableError("the keys cannot be fetched");
        return verify(token);
      },
    });
    const client = open(kind, url, { auth: { token: await sign() } });
    await nextEvent(client, "connect");
    expect(attempts).toBe(3);
  });

  it("is back by itself when the server was restarted, while a token that expired meanwhile is refused", async () => {
    takeClock();
    const { io, url, port } = await startAuthServer();
    const fixed = { token: await sign({ lastsMs: LIFE_MS }) };
    const client = open(kind, url, { auth: freshTokens(10 * LIFE_MS).auth });
    const stale = open(kind, url, { auth: fixed });
    await Promise.all([nextEvent(client, "connect"), nextEvent(stale, "connect")]);
    const gone = Promise.all([nextEvent(client, "disconnect"), nextEvent(stale, "disconnect")]);
    await io.close();
    await gone;
    untilOver();
    const back = nextEvent(client, "connect");
    // While nobody listens there are errors of the network as well.
    const refused = new Promise<ConnectError>((resolve) => {
      stale.on("connect_error", (error: ConnectError) => error.data && resolve(error));
    });
    await startAuthServer({}, {}, port);
    await back;
    expect((await refused).data).toEqual({ code: "SIO_CREDENTIALS_EXPIRED" });
    expect(stale.active).toBe(false);
  });

  it("has credentials of its own in each namespace of one connection", async () => {
    const { io, url } = await startAuthServer();
    io.of("/chat");
    const client = open(kind, url, { auth: { token: await sign({ user: "ada" }) } });
    const chat = client.io.socket("/chat", { auth: { token: await sign({ user: "bob" }) } });
    await Promise.all([nextEvent(client, "connect"), nextEvent(chat, "connect")]);
    const [inChat] = io.of("/chat").sockets.values();
    expect(inChat?.credentials?.user).toBe("bob");
    expect(inChat?.client.sockets.size).toBe(2);
    // The connection is ended for both, and the one that is still welcome comes back.
    const outcome = Promise.all([nextEvent(client, "connect"), nextEvent<[ConnectError]>(chat, "connect_error")]);
    await io.revoke({ user: "bob" });
    const [, [error]] = await outcome;
    expect(error.data?.code).toBe("SIO_CREDENTIALS_REVOKED");
  });
});

describe.each(clients)("where a cookie carries the token, $name", (kind) => {
  it("gets in from a page of the same origin, and not from one of another", async () => {
    const { url } = await startAuthServer({ cookie: "token" });
    const cookie = `token=${await sign()}`;
    await nextEvent(open(kind, url, { extraHeaders: { cookie, origin: url } }), "connect");
    const foreign = open(kind, url, { extraHeaders: { cookie, origin: "https://evil.example" }, reconnection: false });
    const [{ description }] = await nextEvent<[{ description: unknown }]>(foreign, "connect_error");
    const status = kind.transport === "polling" ? description : (description as Error).message;
    expect(String(status)).toMatch(/403$/);
  });
});

describe.each([stockOverWebSocket, oursOverWebSocket])("in a namespace with a contract, $name", (kind) => {
  it("renews its credentials, of which the contract knows nothing", async () => {
    takeClock();
    const { io, url } = await startAuthServer();
    useContract(io, defineEvents({ client: {}, server: {} }));
    const client = open(kind, url, { auth: freshTokens(LIFE_MS).auth });
    if (kind.isStock) renewCredentials(client);
    await nextEvent(client, "connect");
    const [socket] = io.sockets.sockets.values();
    const first = socket?.credentials;
    untilAsked();
    while (socket?.credentials === first) await nextTurn();
    expect(client.connected).toBe(true);
  });
});

/** Lets what is on its way arrive. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
