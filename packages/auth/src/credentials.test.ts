import { Server, type ServerOptions, type Socket } from "@plugboard/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "../../server/src/fake-engine.js";
import {
  credentials,
  VerifierUnavailableError,
  type Credentials,
  type CredentialsHandle,
  type CredentialsOptions,
  type RevocationStore,
} from "./index.js";

const NOW = 1_800_000_000_000;
const MINUTE_MS = 60_000;

interface Setup {
  readonly io: Server;
  readonly engine: FakeEngine;
  readonly auth: CredentialsHandle<Credentials>;
}

/** Takes tokens that are the JSON of what they stand for. */
const verifyJson = (token: string): Credentials => JSON.parse(token) as Credentials;

function setUp(options: Partial<CredentialsOptions<Credentials>> = {}, server: Partial<ServerOptions> = {}): Setup {
  const engine = new FakeEngine();
  const io = new Server({ connectTimeout: 1e9, ...server }).bind(engine);
  const auth = credentials(io, { verify: verifyJson, ...options });
  return { io, engine, auth };
}

const tokenOf = (held: object): string => JSON.stringify({ user: "5", ...held });

/** Asks for a namespace and returns what is answered. */
async function ask(connection: FakeConnection, auth: object, name = ""): Promise<string[]> {
  connection.receive(`0${name && `${name},`}${JSON.stringify(auth)}`);
  await turn();
  return connection.take().map(String);
}

const refused = (code: string): string[] => [expect.stringMatching(new RegExp(`^4\\{"message":.*"code":"${code}"`))];
const ACCEPTED: string[] = [expect.stringMatching(/^0/)];

/** The question for new credentials among what was written, with the id that its answer has to have. */
function question(connection: FakeConnection): { id: string; expiresAt: number } | undefined {
  for (const chunk of connection.take().map(String)) {
    const [, id, json] = /^2(\d+)\["auth:expiring",(.*)\]$/.exec(chunk) ?? [];
    if (id !== undefined) return { id, ...(JSON.parse(json!) as { expiresAt: number }) };
  }
  return undefined;
}

async function answer(connection: FakeConnection, id: string, ...args: unknown[]): Promise<void> {
  connection.receive(`3${id}${JSON.stringify(args)}`);
  await turn();
}

/** Lets one client in, and gives its connection and socket. */
async function enter(
  { io, engine }: Setup,
  held: object,
  name = "/",
): Promise<{ connection: FakeConnection; socket: Socket }> {
  const { connection, sid } = await engine.join(name, { token: tokenOf(held) });
  return { connection, socket: io.of(name).sockets.get(sid)! };
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date", "setTimeout", "clearTimeout"] });
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a client with credentials", () => {
  it("is let in, and its socket knows them", async () => {
    const setup = setUp();
    const { socket } = await enter(setup, { role: "admin", expiresAt: NOW + MINUTE_MS });
    expect(socket.credentials).toEqual({ user: "5", role: "admin", expiresAt: NOW + MINUTE_MS });
    expect(setup.auth.of(socket)).toBe(socket.credentials);
  });

  it("has them in every namespace on its own, those made later included", async () => {
    const setup = setUp();
    setup.io.of(/^\/room-\d$/);
    const { connection } = await enter(setup, {});
    expect(await ask(connection, {}, "/room-1")).toEqual([expect.stringContaining("SIO_UNAUTHORIZED")]);
    expect(await ask(connection, { token: tokenOf({ user: "6" }) }, "/room-1")).toEqual([
      expect.stringMatching(/^0\/room-1,/),
    ]);
    const [socket] = setup.io.of("/room-1").sockets.values();
    expect(socket?.credentials?.user).toBe("6");
  });

  it("is seen by the middlewares of its namespace", async () => {
    const setup = setUp();
    const seen: unknown[] = [];
    setup.io.use((socket, next) => {
      seen.push(socket.credentials);
      next();
    });
    await enter(setup, {});
    expect(seen).toEqual([{ user: "5" }]);
  });

  it("is verified with what verify may want to look at", async () => {
    const verify = vi.fn(() => ({ user: "5" }));
    const { engine } = setUp({ verify });
    const request = { headers: { authorization: "Bearer abc" } };
    await engine.join("/", { page: 1 }, engine.open(request as never));
    expect(verify).toHaveBeenCalledExactlyOnceWith("abc", {
      namespace: "/",
      auth: { page: 1 },
      request,
      signal: expect.any(AbortSignal),
    });
  });
});

describe("a client is refused", () => {
  it.each([
    ["without a token", {}],
    ["with an empty one", { token: "" }],
    ["with one that is no string", { token: { $ne: "" } }],
    ["with one that is too long", { token: tokenOf({ pad: "x".repeat(8192) }) }],
    ["with one that verify throws at", { token: "no JSON" }],
    ["with one for which verify gives nothing", { token: "null" }],
    ["when what verify gives is not right", { token: tokenOf({ expiresAt: 1_800_000_000 }) }],
  ])("%s", async (_how, auth) => {
    const { engine } = setUp();
    expect(await ask(engine.open(), auth)).toEqual([
      '4{"message":"valid credentials are required","data":{"code":"SIO_UNAUTHORIZED"}}',
    ]);
  });

  it("with credentials that have expired", async () => {
    const { engine } = setUp();
    expect(await ask(engine.open(), { token: tokenOf({ expiresAt: NOW }) })).toEqual(
      refused("SIO_CREDENTIALS_EXPIRED"),
    );
  });

  it.each([{ code: "ERR_JWT_EXPIRED" }, { code: "FAST_JWT_EXPIRED" }, { name: "TokenExpiredError" }])(
    "as expired when verify throws what says so: %j",
    async (traits) => {
      const { engine } = setUp({ verify: () => Promise.reject(Object.assign(new Error("jwt expired"), traits)) });
      expect(await ask(engine.open(), { token: "t" })).toEqual([
        '4{"message":"the credentials have expired","data":{"code":"SIO_CREDENTIALS_EXPIRED"}}',
      ]);
    },
  );

  it("without being told why, which onRefused is", async () => {
    const onRefused = vi.fn(() => {
      throw new Error("the log is full");
    });
    const cause = new Error("signature of key 7 does not match");
    const { io, engine } = setUp({ verify: () => Promise.reject(cause), onRefused });
    io.onListenerError = vi.fn();
    expect(await ask(engine.open(), { token: "t" })).toEqual(refused("SIO_UNAUTHORIZED"));
    expect(onRefused).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: "SIO_UNAUTHORIZED", cause, namespace: "/" }),
    );
    expect(io.onListenerError).toHaveBeenCalledOnce();
  });

  it("when required and token say so, by whatever they fail", async () => {
    const fail = (): never => {
      throw new Error("bug");
    };
    expect(await ask(setUp({ token: fail }).engine.open(), {})).toEqual(refused("SIO_UNAUTHORIZED"));
    expect(await ask(setUp({ required: fail }).engine.open(), {})).toEqual(refused("SIO_UNAUTHORIZED"));
  });
});

describe("a client that comes without a token", () => {
  it("gets in where none is required, without credentials, but not with a bad one", async () => {
    const { io, engine, auth } = setUp({ required: (name) => name !== "/public" });
    io.of("/public");
    const connection = engine.open();
    expect(await ask(connection, {}, "/public")).toEqual([expect.stringMatching(/^0\/public,/)]);
    const [socket] = io.of("/public").sockets.values();
    expect(socket?.credentials).toBeUndefined();
    expect(() => auth.of(socket!)).toThrow(expect.objectContaining({ name: "EventError", code: "SIO_UNAUTHORIZED" }));
    expect(await ask(connection, {})).toEqual(refused("SIO_UNAUTHORIZED"));
    expect(await ask(engine.open(), { token: "bad" }, "/public")).toEqual([
      expect.stringContaining("SIO_UNAUTHORIZED"),
    ]);
  });
});

describe("when it cannot be known who a client is", () => {
  it.each([
    [
      "verify says that it cannot tell",
      { verify: () => Promise.reject(new VerifierUnavailableError("keys are down")) },
    ],
    ["the store of revocations fails", { revocations: { add() {}, find: () => Promise.reject(new Error("down")) } }],
  ])("as %s, its connection is closed as if it was lost, and it is told nothing", async (_why, options) => {
    const onRefused = vi.fn();
    const { io, engine } = setUp({ ...options, onRefused });
    io.onListenerError = vi.fn();
    const connection = engine.open();
    expect(await ask(connection, { token: tokenOf({}) })).toEqual([]);
    expect(connection.readyState).toBe("closed");
    expect(onRefused).not.toHaveBeenCalled();
    expect(io.onListenerError).toHaveBeenCalledOnce();
  });

  it("its connection is closed also when nobody can be told why", async () => {
    const print = vi.spyOn(console, "error").mockImplementation(() => {});
    const { io, engine } = setUp({ verify: () => Promise.reject(new VerifierUnavailableError("keys are down")) });
    io.onListenerError = () => {
      throw new Error("the log is full");
    };
    const connection = engine.open();
    expect(await ask(connection, { token: tokenOf({}) })).toEqual([]);
    expect(connection.readyState).toBe("closed");
    expect(print).toHaveBeenCalledTimes(2);
    print.mockRestore();
  });

  it("as verify takes too long, the same, and verify is told to give up", async () => {
    let given: AbortSignal | undefined;
    const { engine } = setUp({
      verify: (_token, { signal }) => {
        given = signal;
        return new Promise(() => {});
      },
    });
    const connection = engine.open();
    expect(await ask(connection, { token: "t" })).toEqual([]);
    vi.advanceTimersByTime(9999);
    await turn();
    expect(connection.readyState).toBe("open");
    vi.advanceTimersByTime(1);
    await turn();
    expect(connection.readyState).toBe("closed");
    expect(given?.aborted).toBe(true);
    expect(connection.take()).toEqual([]);
  });

  it("a client that leaves while it is verified leaves nothing behind", async () => {
    let settle: ((held: Credentials) => void) | undefined;
    const { io, engine } = setUp({ verify: () => new Promise((resolve) => (settle = resolve)) });
    const connection = engine.open();
    await ask(connection, { token: "t" });
    connection.drop();
    settle!({ user: "5", expiresAt: NOW + 1000 });
    await turn();
    expect(io.sockets.sockets.size + io.sockets._preConnectSockets.size + io.sockets.adapter.sids.size).toBe(0);
  });
});

describe("when credentials expire", () => {
  it("the connection is closed as if it was lost, a second late at most", async () => {
    const setup = setUp();
    const { connection, socket } = await enter(setup, { expiresAt: NOW + MINUTE_MS });
    const onDisconnect = vi.fn();
    socket.on("disconnect", onDisconnect);
    await answerNothing(connection, MINUTE_MS - 1);
    expect(socket.connected).toBe(true);
    vi.advanceTimersByTime(1001);
    expect(onDisconnect).toHaveBeenCalledExactlyOnceWith("forced server close", "credentials expired");
    expect(connection.readyState).toBe("closed");
    expect(connection.take()).not.toContain("1");
  });

  it("and onExpiry says disconnect, only the socket in that namespace ends, for good", async () => {
    const setup = setUp({ onExpiry: "disconnect" });
    setup.io.of("/other");
    const { connection, socket } = await enter(setup, { expiresAt: NOW + MINUTE_MS });
    await ask(connection, { token: tokenOf({}) }, "/other");
    vi.advanceTimersByTime(MINUTE_MS + 1000);
    expect(socket.connected).toBe(false);
    expect(connection.take()).toContain("1");
    expect(setup.io.of("/other").sockets.size).toBe(1);
  });

  it.each(["rehandshake", "disconnect"] as const)(
    "while the middlewares of its namespace still run (%s), a client is sent back",
    async (onExpiry) => {
      const setup = setUp({ onExpiry });
      setup.io.use(() => {});
      const connection = setup.engine.open();
      await ask(connection, { token: tokenOf({ expiresAt: NOW + 5000 }) });
      vi.advanceTimersByTime(6000);
      expect(connection.readyState).toBe("closed");
      expect(setup.io.sockets._preConnectSockets.size).toBe(0);
    },
  );

  it("never, no timer runs", async () => {
    const setup = setUp();
    await enter(setup, {});
    expect(vi.getTimerCount()).toBe(0);
  });

  it("and the sockets have gone before, the timer stops", async () => {
    const setup = setUp();
    const { connection } = await enter(setup, { expiresAt: NOW + MINUTE_MS });
    connection.drop();
    vi.advanceTimersByTime(2 * MINUTE_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Time passes, and the client does not care. */
async function answerNothing(connection: FakeConnection, ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await turn();
  connection.take();
}

describe("a client is asked for new credentials", () => {
  it("30 seconds before the end, by an event that no listener of the server sees", async () => {
    const setup = setUp();
    const { connection, socket } = await enter(setup, { expiresAt: NOW + 2 * MINUTE_MS });
    const outgoing = vi.fn();
    socket.onAnyOutgoing(outgoing);
    vi.advanceTimersByTime(89_999);
    expect(question(connection)).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(question(connection)).toEqual({ id: expect.any(String), expiresAt: NOW + 2 * MINUTE_MS });
    expect(outgoing).not.toHaveBeenCalled();
  });

  it("at half time when they last less than a minute, and again as long as there is time", async () => {
    const setup = setUp();
    const { connection } = await enter(setup, { expiresAt: NOW + 40_000 });
    const asked: number[] = [];
    for (let second = 1; second < 40; second++) {
      vi.advanceTimersByTime(1000);
      if (question(connection)) asked.push(second);
    }
    expect(asked).toEqual([20, 30, 35]);
  });

  it("with time to answer although others have just been looked at, however short its own is", async () => {
    const setup = setUp();
    const lives = Array.from({ length: 20 }, (_, n) => 1000 + 50 * n);
    const connections: FakeConnection[] = [];
    for (const ms of lives) connections.push((await enter(setup, { expiresAt: NOW + ms })).connection);
    const asked = lives.map(() => 0);
    for (let now = 0; now < 1000; now += 10) {
      vi.advanceTimersByTime(10);
      connections.forEach((connection, n) => (asked[n] ||= question(connection) ? now + 10 : 0));
    }
    asked.forEach((at, n) => {
      expect(at).toBeGreaterThan(0);
      expect(lives[n]! - at).toBeGreaterThanOrEqual(440);
    });
  });

  it("not when the token did not come by auth, for it could not be sent anew", async () => {
    const setup = setUp();
    const connection = setup.engine.open({
      headers: { authorization: `Bearer ${tokenOf({ expiresAt: NOW + 1000 })}` },
    } as never);
    await setup.engine.join("/", {}, connection);
    vi.advanceTimersByTime(900);
    expect(question(connection)).toBeUndefined();
  });

  it("not when renewBeforeMs is 0", async () => {
    const setup = setUp({ renewBeforeMs: 0 });
    const { connection } = await enter(setup, { expiresAt: NOW + 1000 });
    vi.advanceTimersByTime(900);
    expect(question(connection)).toBeUndefined();
  });
});

describe("a client that answers with", () => {
  /** A socket that has been asked. */
  async function asked(setup: Setup): Promise<{ connection: FakeConnection; socket: Socket; id: string }> {
    const { connection, socket } = await enter(setup, { tokenId: "a", expiresAt: NOW + MINUTE_MS });
    vi.advanceTimersByTime(30_000);
    return { connection, socket, id: question(connection)!.id };
  }

  it("fresh credentials stays, with these", async () => {
    const setup = setUp();
    const incoming = vi.fn();
    setup.io.on("connection", (socket) => socket.onAny(incoming));
    const { connection, socket, id } = await asked(setup);
    const roomsBefore = new Set(socket.rooms);
    await answer(connection, id, { token: tokenOf({ tokenId: "b", expiresAt: NOW + 5 * MINUTE_MS }) });
    expect(socket.credentials).toEqual({ user: "5", tokenId: "b", expiresAt: NOW + 5 * MINUTE_MS });
    expect(socket.rooms.size).toBe(roomsBefore.size);
    expect([...socket.rooms].filter((room) => !roomsBefore.has(room))).toEqual([
      expect.stringMatching(/^plugboard:auth:token:/),
    ]);
    vi.advanceTimersByTime(4 * MINUTE_MS - 1000);
    expect(question(connection)).toBeUndefined();
    expect(socket.connected).toBe(true);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(question(connection)).toBeDefined();
    vi.advanceTimersByTime(MINUTE_MS);
    expect(socket.connected).toBe(false);
    expect(incoming).not.toHaveBeenCalled();
  });

  it("credentials of another user has to come anew", async () => {
    const onRefused = vi.fn();
    const setup = setUp({ onRefused });
    const { connection, socket, id } = await asked(setup);
    await answer(connection, id, { token: tokenOf({ user: "6", expiresAt: NOW + 5 * MINUTE_MS }) });
    expect(connection.readyState).toBe("closed");
    expect(socket.credentials?.user).toBe("5");
    expect(onRefused).toHaveBeenCalledWith(expect.objectContaining({ code: "SIO_FORBIDDEN" }));
  });

  it.each([
    ["what it had", [{ token: tokenOf({ tokenId: "b", expiresAt: NOW + MINUTE_MS }) }]],
    ["what ends even earlier", [{ token: tokenOf({ expiresAt: NOW + MINUTE_MS - 1 }) }]],
    ["a bad token", [{ token: "bad" }]],
    ["a token that is too long", [{ token: tokenOf({ expiresAt: NOW + 5 * MINUTE_MS, pad: "x".repeat(9000) }) }]],
    ["no token", [{}]],
    ["no object", ["x"]],
    ["nothing", []],
    ["null", [null]],
  ])("%s keeps what it has to the end", async (_what, args) => {
    const setup = setUp();
    const { connection, socket, id } = await asked(setup);
    await answer(connection, id, ...args);
    expect(socket.credentials).toMatchObject({ tokenId: "a", expiresAt: NOW + MINUTE_MS });
    vi.advanceTimersByTime(31_000);
    expect(socket.connected).toBe(false);
  });

  it("credentials that cannot be verified right now is asked again", async () => {
    let isDown = false;
    const setup = setUp({
      verify: (token) => {
        if (isDown) throw new VerifierUnavailableError("down");
        return verifyJson(token);
      },
    });
    const { connection, socket, id } = await asked(setup);
    isDown = true;
    const auth = { token: tokenOf({ expiresAt: NOW + 5 * MINUTE_MS }) };
    await answer(connection, id, auth);
    isDown = false;
    vi.advanceTimersByTime(15_000);
    await answer(connection, question(connection)!.id, auth);
    expect(socket.credentials?.expiresAt).toBe(NOW + 5 * MINUTE_MS);
  });

  it("the same answer twice, or to an older question, is not verified again", async () => {
    const verify = vi.fn(verifyJson);
    const setup = setUp({ verify });
    const { connection, id } = await asked(setup);
    vi.advanceTimersByTime(15_000);
    const { id: second } = question(connection)!;
    const auth = { token: tokenOf({ expiresAt: NOW + 5 * MINUTE_MS }) };
    for (const each of [id, second, second, "999"]) await answer(connection, each, auth);
    expect(verify).toHaveBeenCalledTimes(2);
  });

  it("two answers that are verified at the same time ends with what lasts longest", async () => {
    const settle: (() => void)[] = [];
    const verify = vi.fn((token: string) =>
      verify.mock.calls.length === 1
        ? verifyJson(token)
        : new Promise<Credentials>((resolve) => settle.push(() => resolve(verifyJson(token)))),
    );
    const setup = setUp({ verify, verifyTimeoutMs: MINUTE_MS });
    const { connection, socket, id } = await asked(setup);
    await answer(connection, id, { token: tokenOf({ tokenId: "b", expiresAt: NOW + 5 * MINUTE_MS }) });
    vi.advanceTimersByTime(9000);
    expect(question(connection)).toBeUndefined();
    vi.advanceTimersByTime(6000);
    await answer(connection, question(connection)!.id, {
      token: tokenOf({ tokenId: "c", expiresAt: NOW + 9 * MINUTE_MS }),
    });
    settle[1]!();
    await turn();
    settle[0]!();
    await turn();
    expect(socket.credentials?.tokenId).toBe("c");
  });
});

describe("a verifier without a limit of time", () => {
  it("is waited for", async () => {
    let settle!: () => void;
    const verify = (token: string) =>
      new Promise<Credentials>((resolve) => (settle = () => resolve(verifyJson(token) as Credentials)));
    const { engine } = setUp({ verify, verifyTimeoutMs: Infinity });
    const connection = engine.open();
    connection.receive(`0${JSON.stringify({ token: tokenOf({}) })}`);
    await turn();
    vi.advanceTimersByTime(MINUTE_MS);
    await turn();
    expect(connection.readyState).toBe("open");
    settle();
    await turn();
    expect(String(connection.take().at(-1))).toMatch(/^0\{"sid"/);
  });
});

describe("what is revoked", () => {
  it.each([{ user: "5" }, { tokenId: "t" }, { session: "s" }])("by %j ends and stays out", async (target) => {
    const setup = setUp();
    const held = { tokenId: "t", session: "s", issuedAt: NOW };
    const { connection } = await enter(setup, held);
    const { connection: other } = await enter(setup, { user: "6", issuedAt: NOW });
    await setup.io.revoke(target);
    expect(connection.readyState).toBe("closed");
    expect(other.readyState).toBe("open");
    expect(await ask(setup.engine.open(), { token: tokenOf(held) })).toEqual(refused("SIO_CREDENTIALS_REVOKED"));
  });

  it("by user lets in again whoever logs in later", async () => {
    const setup = setUp();
    await setup.auth.revoke({ user: "5" });
    expect(await ask(setup.engine.open(), { token: tokenOf({ issuedAt: NOW }) })).toEqual(
      refused("SIO_CREDENTIALS_REVOKED"),
    );
    expect(await ask(setup.engine.open(), { token: tokenOf({}) })).toEqual(refused("SIO_CREDENTIALS_REVOKED"));
    expect(await ask(setup.engine.open(), { token: tokenOf({ issuedAt: NOW + 1 }) })).toEqual(ACCEPTED);
  });

  it("by session lets in the sessions that the user has besides", async () => {
    const setup = setUp();
    const { connection } = await enter(setup, { session: "other" });
    await setup.io.revoke({ session: "s" });
    expect(connection.readyState).toBe("open");
    expect(await ask(setup.engine.open(), { token: tokenOf({ session: "other" }) })).toEqual(ACCEPTED);
  });

  it("is remembered for a day, or as long as is said", async () => {
    const setup = setUp();
    await setup.io.revoke({ tokenId: "day" });
    await setup.io.revoke({ tokenId: "hour" }, { until: NOW + 60 * MINUTE_MS });
    vi.setSystemTime(NOW + 60 * MINUTE_MS);
    expect(await ask(setup.engine.open(), { token: tokenOf({ tokenId: "hour" }) })).toEqual(ACCEPTED);
    expect(await ask(setup.engine.open(), { token: tokenOf({ tokenId: "day" }) })).toEqual(
      refused("SIO_CREDENTIALS_REVOKED"),
    );
    vi.setSystemTime(NOW + 24 * 60 * MINUTE_MS);
    expect(await ask(setup.engine.open(), { token: tokenOf({ tokenId: "day" }) })).toEqual(ACCEPTED);
  });

  it("is told to stay away, if that is wanted", async () => {
    const setup = setUp();
    const { connection } = await enter(setup, {});
    await setup.io.revoke({ user: "5" }, { how: "disconnect" });
    expect(connection.take()).toContain("1");
  });

  it("ends also when it has left its rooms, as clients can in programs that let them leave any", async () => {
    const setup = setUp();
    const { connection, socket } = await enter(setup, { tokenId: "t" });
    for (const room of socket.rooms) socket.leave(room);
    await setup.io.revoke({ tokenId: "t" });
    expect(connection.readyState).toBe("open");
    vi.advanceTimersByTime(0);
    expect(connection.readyState).toBe("closed");
  });

  it("ends while it is being let in, at every stage of that", async () => {
    let settleVerify: (() => void) | undefined;
    const setup = setUp({
      verify: (token) => new Promise((resolve) => (settleVerify = () => resolve(verifyJson(token)))),
    });
    setup.io.use(() => {});
    const verifying = setup.engine.open();
    await ask(verifying, { token: tokenOf({ tokenId: "t" }) });
    const settleFirst = settleVerify!;
    const waiting = setup.engine.open();
    await ask(waiting, { token: tokenOf({ tokenId: "t" }) });
    settleVerify!();
    await turn();
    await setup.io.revoke({ tokenId: "t" });
    settleFirst();
    await turn();
    expect(verifying.take().map(String)).toEqual(refused("SIO_CREDENTIALS_REVOKED"));
    expect(waiting.readyState).toBe("closed");
  });

  it("while the store is asked about it is refused, whatever the store says then", async () => {
    let settle: ((times: undefined[]) => void) | undefined;
    const find = () => new Promise<undefined[]>((resolve) => (settle = resolve));
    const setup = setUp({ revocations: { add() {}, find } });
    const connection = setup.engine.open();
    await ask(connection, { token: tokenOf({ tokenId: "t" }) });
    await setup.io.revoke({ tokenId: "t" });
    vi.advanceTimersByTime(1000);
    settle!([undefined, undefined]);
    await turn();
    expect(connection.take().map(String)).toEqual(refused("SIO_CREDENTIALS_REVOKED"));
  });

  it("does not come back by renewal", async () => {
    let settle: (() => void) | undefined;
    const verify = vi.fn((token: string) =>
      verify.mock.calls.length === 1
        ? verifyJson(token)
        : new Promise<Credentials>((resolve) => (settle = () => resolve(verifyJson(token)))),
    );
    const setup = setUp({ verify });
    const { connection, socket } = await enter(setup, { tokenId: "a", expiresAt: NOW + MINUTE_MS });
    vi.advanceTimersByTime(30_000);
    await answer(connection, question(connection)!.id, {
      token: tokenOf({ tokenId: "b", expiresAt: NOW + 5 * MINUTE_MS }),
    });
    await setup.io.revoke({ tokenId: "b" });
    expect(connection.readyState).toBe("open");
    settle!();
    await turn();
    expect(socket.credentials?.tokenId).toBe("a");
  });

  it("has to be said", async () => {
    const { io } = setUp();
    await expect(io.revoke({ user: undefined })).rejects.toThrow(
      expect.objectContaining({ name: "TypeError", code: "SIO_NOTHING_TO_REVOKE" }),
    );
  });

  it("by another node ends here; what makes no sense is ignored", async () => {
    const setup = setUp();
    const { connection, socket } = await enter(setup, { tokenId: "t" });
    const keys = [...socket.rooms].filter((room) => room.startsWith("plugboard:auth:token:"));
    const { sockets: main } = setup.io;
    main._onServerSideEmit(["plugboard:credentials-revoked", { keys: "all" }]);
    main._onServerSideEmit(["plugboard:credentials-revoked"]);
    vi.advanceTimersByTime(1000);
    expect(connection.readyState).toBe("open");
    main._onServerSideEmit(["plugboard:credentials-revoked", { keys, at: NOW, until: NOW + MINUTE_MS }]);
    vi.advanceTimersByTime(1000);
    expect(connection.readyState).toBe("closed");
  });
});

describe("a store of revocations", () => {
  /** As a database would, with what it was asked to keep. */
  function memoryStore(): RevocationStore & { readonly kept: Map<string, number> } {
    const kept = new Map<string, number>();
    return {
      kept,
      add({ keys, at }) {
        for (const key of keys) kept.set(key, at);
      },
      find: (keys) => keys.map((key) => kept.get(key)),
    };
  }

  it("keeps out what was revoked before the process started", async () => {
    const revocations = memoryStore();
    await setUp({ revocations }).io.revoke({ tokenId: "t" });
    const { engine } = setUp({ revocations });
    expect(await ask(engine.open(), { token: tokenOf({ tokenId: "t" }) })).toEqual(refused("SIO_CREDENTIALS_REVOKED"));
    expect(await ask(engine.open(), { token: tokenOf({ tokenId: "u" }) })).toEqual(ACCEPTED);
  });

  it("that fails makes revoke fail, after the sockets have ended", async () => {
    const setup = setUp({ revocations: { add: () => Promise.reject(new Error("down")), find: () => [] } });
    const { connection } = await enter(setup, {});
    await expect(setup.io.revoke({ user: "5" })).rejects.toThrow("down");
    expect(connection.readyState).toBe("closed");
  });
});

describe("with recovery", () => {
  const recovery = { connectionStateRecovery: {} };

  /** A client that has got an event and was cut off; gives what it says when it is back. */
  async function lose(setup: Setup, held: object): Promise<{ sid: string; pid: string; offset: string }> {
    const { connection, sid, pid } = await setup.engine.join("/", { token: tokenOf(held) });
    connection.take();
    setup.io.to(sid).emit("first");
    const [text] = connection.take().map(String);
    const offset = (JSON.parse(text!.slice(1)) as string[]).at(-1)!;
    connection.drop();
    return { sid, pid: pid!, offset };
  }

  async function comeBack(setup: Setup, lost: { pid: string; offset: string }, held: object): Promise<string> {
    const connection = setup.engine.open({ headers: {} } as never);
    const { sid } = await setup.engine.join("/", { ...lost, token: tokenOf(held) }, connection);
    return sid;
  }

  it("whoever is back as the same user is recovered, with what it sends now, verified once", async () => {
    const verify = vi.fn(verifyJson);
    const setup = setUp({ verify }, recovery);
    const lost = await lose(setup, { tokenId: "a", expiresAt: NOW + MINUTE_MS });
    vi.setSystemTime(NOW + 2 * MINUTE_MS - 1);
    verify.mockClear();
    expect(await comeBack(setup, lost, { tokenId: "b" })).toBe(lost.sid);
    expect(verify).toHaveBeenCalledOnce();
    const socket = setup.io.sockets.sockets.get(lost.sid)!;
    expect(socket.recovered).toBe(true);
    expect(socket.credentials).toEqual({ user: "5", tokenId: "b" });
    expect([...socket.rooms].filter((room) => room.startsWith("plugboard:auth:token:"))).toHaveLength(1);
    await setup.io.revoke({ tokenId: "b" });
    expect(socket.connected).toBe(false);
  });

  it("who was refused by others before its credentials were looked at is verified anew when it asks later", async () => {
    const engine = new FakeEngine();
    const io = new Server({ connectTimeout: 1e9, ...recovery }).bind(engine);
    let busy = false;
    io.useAlways((_socket, next) => next(busy ? new Error("busy") : undefined));
    const auth = credentials(io, { verify: verifyJson });
    const { pid, offset } = await lose({ io, engine, auth }, { expiresAt: NOW + 10 * MINUTE_MS });
    busy = true;
    const token = tokenOf({ expiresAt: NOW + MINUTE_MS });
    const connection = engine.open({ headers: {} } as never);
    expect(await ask(connection, { pid, offset, token })).toEqual(['4{"message":"busy"}']);
    busy = false;
    vi.setSystemTime(NOW + MINUTE_MS + 1);
    expect(await ask(connection, { token })).toEqual(refused("SIO_CREDENTIALS_EXPIRED"));
  });

  it("another user with the same secret is somebody new", async () => {
    const setup = setUp({}, recovery);
    const lost = await lose(setup, {});
    expect(await comeBack(setup, lost, { user: "6" })).not.toBe(lost.sid);
  });

  it("so is who had no credentials and has some now, and the other way round", async () => {
    const setup = setUp({ required: false }, recovery);
    const connection = setup.engine.open();
    const { sid, pid } = await setup.engine.join("/", {}, connection);
    connection.take();
    setup.io.to(sid).emit("first");
    const offset = (JSON.parse(String(connection.take()[0]).slice(1)) as string[]).at(-1)!;
    connection.drop();
    expect(await comeBack(setup, { pid: pid!, offset }, {})).not.toBe(sid);
    const lost = await lose(setup, {});
    const back = await setup.engine.join("/", { ...lost });
    expect(back.sid).not.toBe(lost.sid);
  });

  it("with a token that is not valid any more, nobody is recovered", async () => {
    const setup = setUp({}, recovery);
    const lost = await lose(setup, { expiresAt: NOW + MINUTE_MS });
    vi.setSystemTime(NOW + MINUTE_MS);
    const connection = setup.engine.open({ headers: {} } as never);
    expect(await ask(connection, { ...lost, token: tokenOf({ expiresAt: NOW + MINUTE_MS }) })).toEqual(
      refused("SIO_CREDENTIALS_EXPIRED"),
    );
    expect(await comeBack(setup, lost, {})).not.toBe(lost.sid);
  });

  it.each([{ user: "5" }, { tokenId: "t" }, { session: "s" }])(
    "what was revoked by %j while it was away starts anew, with valid credentials",
    async (target) => {
      const setup = setUp({}, recovery);
      const lost = await lose(setup, { tokenId: "t", session: "s", issuedAt: NOW });
      await setup.io.revoke(target);
      expect(await comeBack(setup, lost, { tokenId: "t2", session: "s2", issuedAt: NOW + 1 })).not.toBe(lost.sid);
    },
  );

  it("what was revoked where only the store knows of it starts anew too", async () => {
    const kept = new Map<string, number>();
    const revocations: RevocationStore = { add() {}, find: (keys) => keys.map((key) => kept.get(key)) };
    const setup = setUp({ revocations }, recovery);
    const { socket } = await enter(setup, { tokenId: "t" });
    const lost = await lose(setup, { tokenId: "t" });
    for (const room of socket.rooms) if (room.startsWith("plugboard:auth:token:")) kept.set(room, NOW);
    expect(kept.size).toBe(1);
    expect(await comeBack(setup, lost, { tokenId: "t2" })).not.toBe(lost.sid);
  });

  it("what expired while it was connected cannot be recovered", async () => {
    const setup = setUp({}, recovery);
    const { connection, sid, pid } = await setup.engine.join("/", { token: tokenOf({ expiresAt: NOW + MINUTE_MS }) });
    setup.io.emit("first");
    const offset = (JSON.parse(String(connection.take().at(-1)).slice(1)) as string[]).at(-1)!;
    vi.advanceTimersByTime(MINUTE_MS + 1000);
    expect(connection.readyState).toBe("closed");
    expect(await comeBack(setup, { pid: pid!, offset }, {})).not.toBe(sid);
  });

  it("a verifier that is back between two looks lets nobody have the socket of another", async () => {
    let failures = 0;
    const setup = setUp(
      {
        verify: (token) => {
          if (failures-- > 0) throw new VerifierUnavailableError("down");
          return verifyJson(token);
        },
      },
      recovery,
    );
    const lost = await lose(setup, {});
    failures = 1;
    // Without a request, as over WebTransport, nothing is known of the first look.
    const connection = setup.engine.open();
    expect(await ask(connection, { ...lost, token: tokenOf({ user: "6" }) })).toEqual([]);
    expect(connection.readyState).toBe("closed");
    expect(await comeBack(setup, lost, { user: "6" })).not.toBe(lost.sid);
  });

  it("what is stored stays so when it cannot be known who is back, for the next attempt", async () => {
    let isDown = false;
    const setup = setUp(
      {
        verify: (token) => {
          if (isDown) throw new VerifierUnavailableError("down");
          return verifyJson(token);
        },
      },
      recovery,
    );
    const lost = await lose(setup, {});
    isDown = true;
    const connection = setup.engine.open({ headers: {} } as never);
    expect(await ask(connection, { ...lost, token: tokenOf({}) })).toEqual([]);
    expect(connection.readyState).toBe("closed");
    isDown = false;
    expect(await comeBack(setup, lost, {})).toBe(lost.sid);
  });
});

describe("a server", () => {
  it("has credentials once", () => {
    const { io } = setUp();
    expect(() => credentials(io, { verify: verifyJson })).toThrow(
      expect.objectContaining({ code: "SIO_CREDENTIALS_TWICE" }),
    );
  });

  it("keeps out pages of other origins when a cookie carries the token, unless it was told what to do", () => {
    expect(setUp({ cookie: "token" }).io.opts).toMatchObject({ checkOrigin: true });
    expect(setUp({}).io.opts).not.toHaveProperty("checkOrigin");
    expect(setUp({ cookie: "token" }, { checkOrigin: false } as object).io.opts).toMatchObject({ checkOrigin: false });
    const engines = [{}, {}].map((opts) => Object.assign(new FakeEngine(), { opts }));
    const io = new Server({});
    for (const engine of engines) io.bind(engine);
    credentials(io, { verify: verifyJson, cookie: "token" });
    for (const { opts } of engines) expect(opts).toEqual({ checkOrigin: true });
  });
});
