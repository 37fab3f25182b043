import { renewCredentials } from "@plugboard/auth/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { startTokenApp } from "./token-app.js";

const [stock, ours] = bothClients as [(typeof bothClients)[number], (typeof bothClients)[number]];

/** Of all tokens, in seconds. */
const LIFE = 60;

/** Beyond the time of asking, which is half a minute before the end; and beyond the end. Milliseconds. */
const WHEN_ASKED = 31_000;
const WHEN_OVER = LIFE * 1000;

/** So that no heartbeat is missed when the clock leaps. */
const quiet = { pingInterval: 4 * WHEN_OVER };

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    shouldAdvanceTime: true,
  });
});
afterEach(() => void vi.useRealTimers());

interface Refusal extends Error {
  readonly data?: { code: string };
}

/** The `auth` of a client that gets a new token each time: who it is by that says how many there were. */
function tokens(sign: (claims: object) => string): { auth: (done: (auth: object) => void) => void; count: number } {
  const source = {
    count: 0,
    auth(done: (auth: object) => void) {
      source.count++;
      const now = Math.floor(Date.now() / 1000);
      done({ token: sign({ sub: "1", name: `token ${source.count}`, iat: now, exp: now + LIFE }) });
    },
  };
  return source;
}

const reconnecting = { reconnection: true, reconnectionDelay: 10, randomizationFactor: 0 };

/** Stock clients need one line for it, of `@plugboard/auth/client`. */
const renewing = [
  { name: "@plugboard/client", open: ours.connect, prepare: () => {} },
  { name: "socket.io-client with renewCredentials", open: stock.connect, prepare: renewCredentials },
];

describe.each(renewing)("a token that is about to expire, with $name", ({ open, prepare }) => {
  it.each(["polling", "websocket"])("is renewed on the open connection over %s", async (transport) => {
    const { url, sign, app } = await startTokenApp({ refresh: true }, quiet);
    const source = tokens(sign);
    const socket = await open(url, { ...reconnecting, transports: [transport], auth: source.auth });
    prepare(socket);
    const { id } = socket;
    let disconnects = 0;
    socket.on("disconnect", () => void disconnects++);
    expect(await socket.emitWithAck("who")).toBe("token 1");
    for (let renewals = 1; renewals <= 3; renewals++) {
      vi.advanceTimersByTime(WHEN_ASKED);
      // The question is on its way before this is, and its answer before the next.
      await vi.waitFor(async () => expect(await socket.emitWithAck("who")).toBe(`token ${renewals + 1}`), 20_000);
    }
    expect({ id: socket.id, disconnects, sockets: app.io.sockets.sockets.size }).toEqual({
      id,
      disconnects: 0,
      sockets: 1,
    });
    expect(source.count).toBe(4);
  });
});

describe("a token that is over", () => {
  it.each([
    ["polling", {}],
    ["websocket", {}],
    ["websocket", { refresh: false }],
  ] as const)("brings a stock client back over %s with a new one: ioJwt(%j)", async (transport, options) => {
    const { url, sign } = await startTokenApp(options, quiet);
    const source = tokens(sign);
    const socket = await stock.connect(url, { ...reconnecting, transports: [transport], auth: source.auth });
    const { id } = socket;
    vi.advanceTimersByTime(WHEN_OVER);
    const [reason] = await nextEvent<[string]>(socket, "disconnect");
    expect(["transport close", "transport error"]).toContain(reason);
    await nextEvent(socket, "connect");
    expect(await socket.emitWithAck("who")).toBe("token 2");
    expect(socket.id).not.toBe(id);
  });

  it.each(bothClients)("is not asked for again with refresh: false, of $name either", async ({ connect }) => {
    const { url, sign } = await startTokenApp({ refresh: false }, quiet);
    const source = tokens(sign);
    const socket = await connect(url, { auth: source.auth });
    vi.advanceTimersByTime(WHEN_ASKED);
    expect(await socket.emitWithAck("who")).toBe("token 1");
    expect(source.count).toBe(1);
    vi.advanceTimersByTime(WHEN_OVER - WHEN_ASKED);
    await nextEvent(socket, "disconnect");
  });

  it.each(bothClients)("keeps out who has no other: $name is told so, and may come by itself later", async (client) => {
    const { url, sign, app } = await startTokenApp({}, quiet);
    const source = tokens(sign);
    let isLoggedIn = true;
    let auth: object = {};
    const socket = await client.connect(url, {
      ...reconnecting,
      auth: (done) => {
        if (isLoggedIn) source.auth((fresh) => done((auth = fresh)));
        else done(auth);
      },
    });
    isLoggedIn = false;
    vi.advanceTimersByTime(WHEN_OVER);
    const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
    expect(error.data).toEqual({ code: "SIO_CREDENTIALS_EXPIRED" });
    expect(app.io.sockets.sockets.size).toBe(0);
    expect(socket.active).toBe(false);
    isLoggedIn = true;
    socket.connect();
    await nextEvent(socket, "connect");
    expect(await socket.emitWithAck("who")).toBe("token 2");
  });

  it.each(bothClients)("in a header, which no open connection can send anew, ends it for $name", async (client) => {
    const { url, sign, app } = await startTokenApp({}, quiet);
    const now = Math.floor(Date.now() / 1000);
    const authorization = `Bearer ${sign({ sub: "1", name: "Ada", iat: now, exp: now + LIFE })}`;
    const options = { ...reconnecting, extraHeaders: { authorization } };
    const socket = await client.connect(url, options);
    expect(await socket.emitWithAck("who")).toBe("Ada");
    vi.advanceTimersByTime(WHEN_OVER);
    const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
    expect(error.data).toEqual({ code: "SIO_CREDENTIALS_EXPIRED" });
    expect(app.io.sockets.sockets.size).toBe(0);
  });
});
