import { once } from "node:events";
import { connect, type Socket as TcpSocket } from "node:net";
import { RawPollingPeer, RawWebSocketPeer } from "@plugboard/testkit";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocketServer } from "ws";
import { nextEvent } from "../support/next-event.js";
import { refusedUpgrade } from "../support/refused-upgrade.js";
import { HttpError, startFramework, type Hook, type SmallFramework } from "./small-framework.js";
import { routes } from "./stock-and-ours.js";

interface Failure extends Error {
  description: unknown;
  /** The request, over polling. */
  context?: { status?: number; responseText?: string };
}

const endpoint = ({ url }: SmallFramework): string => `${url}/socket.io/`;
const upgradeUrl = (framework: SmallFramework): string => `${endpoint(framework)}?EIO=4&transport=websocket`;

/** The status that a client was shown: as a number over polling, in the words of `ws` over websocket. */
function statusOf({ message, description }: Failure): number {
  if (message === "xhr poll error") return description as number;
  expect(message).toBe("websocket error");
  return Number(/response: (\d{3})$/.exec((description as { message: string }).message)?.[1]);
}

/** How long something may take that nobody tells of, in milliseconds. */
const PATIENCE_MS = 20_000;

afterEach(() => void vi.useRealTimers());

/** Resolves once no client has a connection to the server: nothing is left half open. */
async function untilNoConnections({ webServer }: SmallFramework): Promise<void> {
  await vi.waitFor(async () => {
    webServer.closeIdleConnections();
    const count = await new Promise<number>((resolve) => webServer.getConnections((_error, open) => resolve(open)));
    expect(count).toBe(0);
  }, PATIENCE_MS);
}

describe.each(routes)("a framework that owns the requests, and $name", ({ client, transport }) => {
  const open = ({ url }: SmallFramework, options = {}) => client.open(url, { transports: [transport], ...options });

  it("runs its hooks at the handshake, and carries events both ways", async () => {
    const framework = await startFramework();
    const visits: boolean[] = [];
    framework.hooks.push(async ({ req, isUpgrade }) => {
      await new Promise((resolve) => setImmediate(resolve));
      expect(req.headers["x-token"]).toBe("secret");
      visits.push(isUpgrade);
    });
    framework.io.on("connection", (socket) => {
      socket.on("echo", (value: unknown, answer: (value: unknown) => void) => answer(value));
    });
    const socket = open(framework, { extraHeaders: { "x-token": "secret" } });
    await nextEvent(socket, "connect");
    for (const value of ["text", Buffer.from([1, 2]), "x".repeat(100_000)]) {
      expect(await socket.emitWithAck("echo", value)).toEqual(value);
    }
    expect(visits).toEqual([transport === "websocket"]);
    socket.disconnect();
    await vi.waitFor(() => expect(framework.engine.clientsCount).toBe(0), PATIENCE_MS);
  });

  it.each([401, 403, 404, 503])(
    "refuses with %i: the client is shown that status, nothing stays open",
    async (status) => {
      const framework = await startFramework();
      framework.hooks.push(() => {
        throw new HttpError(status, "not like this");
      });
      const socket = open(framework);
      let text: string | undefined;
      // The request is cleared when the listeners are done.
      socket.on("connect_error", (failed) => (text = (failed as Failure).context?.responseText));
      const [error] = await nextEvent<[Failure]>(socket, "connect_error");
      expect(statusOf(error)).toBe(status);
      if (transport === "polling") expect(text).toBe("not like this");
      expect(socket.active).toBe(true);
      await untilNoConnections(framework);
      expect(framework.engine.clientsCount).toBe(0);
    },
  );

  it.each<[string, Hook]>([
    [
      "throws",
      () => {
        throw new Error("secret words");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret words"))],
  ])("answers 500 when a hook %s, and lets the client in once it does not", async (_what, fail) => {
    const framework = await startFramework();
    framework.hooks.push(fail);
    const socket = open(framework, { reconnection: true, reconnectionDelay: 10 });
    let text: string | undefined;
    socket.once("connect_error", (failed) => (text = (failed as Failure).context?.responseText));
    const [error] = await nextEvent<[Failure]>(socket, "connect_error");
    expect(statusOf(error)).toBe(500);
    if (transport === "polling") expect(text).toBe("something went wrong");
    framework.hooks.length = 0;
    await nextEvent(socket, "connect");
  });

  it("never answers: the client gives up after its timeout, and nothing is left of it", async () => {
    // The published client leaves a session that it gets too late to its heartbeat.
    const framework = await startFramework({ pingInterval: 100, pingTimeout: 100 });
    let isAsked: () => void = () => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    let release: () => void = () => {};
    framework.hooks.push(() => {
      isAsked();
      return new Promise<void>((resolve) => (release = resolve));
    });
    const timeout = 20_000;
    // The client gives up when it has asked, and not before on a busy machine.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const socket = open(framework, { timeout });
    const failed = nextEvent<[Error]>(socket, "connect_error");
    await asked;
    vi.advanceTimersByTime(timeout);
    vi.useRealTimers();
    expect((await failed)[0].message).toBe("timeout");
    // The hook is done at last: whom it lets in has gone, and says so as soon as it can.
    const begun = nextEvent<[{ id: string }]>(framework.engine, "connection");
    release();
    const [session] = await begun;
    await vi.waitFor(() => expect(framework.engine.clients).not.toHaveProperty(session.id), PATIENCE_MS);
    await untilNoConnections(framework);
  });

  it("drops the connection in the middle of a handshake: the client comes back by itself", async () => {
    const framework = await startFramework();
    let times = 0;
    framework.hooks.push(({ req }) => {
      if (++times > 1) return;
      req.socket.destroy();
      throw new HttpError(500, "dropped");
    });
    const socket = open(framework, { reconnection: true, reconnectionDelay: 10 });
    const [error] = await nextEvent<[Failure]>(socket, "connect_error");
    expect(error.message).toBe(transport === "polling" ? "xhr poll error" : "websocket error");
    await nextEvent(socket, "connect");
    expect(times).toBe(2);
  });

  it("lets middlewares of namespaces refuse with data, while HTTP says 200 or 101", async () => {
    const framework = await startFramework();
    framework.io.use((_socket, next) => next(Object.assign(new Error("no"), { data: { code: "E_NO" } })));
    const [error] = await nextEvent<[Error & { data?: unknown }]>(open(framework), "connect_error");
    expect([error.message, error.data]).toEqual(["no", { code: "E_NO" }]);
  });

  it("comes back after all connections were dropped", async () => {
    const framework = await startFramework();
    const socket = open(framework, { reconnection: true, reconnectionDelay: 10 });
    await nextEvent(socket, "connect");
    const closed = nextEvent(framework.engine.clients[socket.io.engine.id as string] as object, "close");
    framework.webServer.closeAllConnections();
    for (const session of Object.values(framework.engine.clients)) session.close(true);
    await closed;
    await nextEvent(socket, "connect");
  });
});

describe("the answer to a poll, which a framework sends in its own way", () => {
  it("carries the fields of its hooks, its cookies and those of the engine", async () => {
    const framework = await startFramework({ cookie: true });
    framework.hooks.push(({ fields }) => {
      fields["x-frame-options"] = "DENY";
      fields["set-cookie"] = "login=1";
    });
    framework.engine.on("initial_headers", (headers: Record<string, string>) => (headers["x-engine"] = "yes"));
    const response = await fetch(`${endpoint(framework)}?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "x-framework": "small",
      "x-frame-options": "DENY",
      "x-engine": "yes",
    });
    expect(response.headers.getSetCookie()).toContain(`io=${sid}; Path=/; HttpOnly; SameSite=Lax`);
  });

  it("counts as sent when the framework says so: callbacks wait for that, and bytes are counted until then", async () => {
    const framework = await startFramework();
    const held: Array<() => void> = [];
    const log: string[] = [];
    const peer = new RawPollingPeer(endpoint(framework));
    const { sid } = await peer.open();
    const session = framework.engine.clients[sid]!;
    let isHeld: () => void = () => {};
    const holding = new Promise<void>((resolve) => (isHeld = resolve));
    framework.reply = (res, answer, fields) => {
      res.writeHead(answer.status, { ...fields, ...answer.headers }).end(answer.body as string);
      held.push(() => answer.done());
      isHeld();
    };
    const bytesBefore = session.bufferedAmount;
    session.send("hello", () => log.push("sent"));
    expect((await peer.poll()).body).toBe("4hello");
    await holding;
    expect(log).toEqual([]);
    expect(session.bufferedAmount).toBeGreaterThan(bytesBefore);
    held[0]!();
    expect(log).toEqual(["sent"]);
    expect(session.bufferedAmount).toBe(bytesBefore);
  });

  it("ends the session when the framework could not send it, and callbacks do not run", async () => {
    const framework = await startFramework();
    const peer = new RawPollingPeer(endpoint(framework));
    const { sid } = await peer.open();
    const session = framework.engine.clients[sid]!;
    const lost = new Error("the reply was lost");
    framework.reply = (res, answer) => {
      res.destroy();
      answer.done(lost);
    };
    let isSent = false;
    session.send("hello", () => (isSent = true));
    const closed = nextEvent<[string, { message: string; description: unknown }]>(session, "close");
    await expect(peer.poll()).rejects.toThrow();
    const [reason, error] = await closed;
    expect([reason, error.description]).toEqual(["transport error", lost]);
    expect(isSent).toBe(false);
    expect(framework.engine.clientsCount).toBe(0);
  });

  it.each(routes.filter(({ transport }) => transport === "polling"))(
    "may be lost at the handshake too: $name comes back with a new session",
    async ({ client }) => {
      const framework = await startFramework();
      const write = framework.reply;
      framework.reply = (res, answer) => {
        framework.reply = write;
        res.destroy();
        answer.done(new Error("lost"));
      };
      const ended: unknown[] = [];
      framework.engine.once("connection", (session) => session.on("close", (reason: string) => ended.push(reason)));
      const options = { transports: ["polling"], reconnection: true, reconnectionDelay: 10 };
      const socket = client.open(framework.url, options);
      await nextEvent(socket, "connect_error");
      await nextEvent(socket, "connect");
      expect(ended).toEqual(["transport error"]);
    },
  );

  it("is 503 when the engine was closed while the handshake was being decided", async () => {
    const framework = await startFramework({
      allowRequest: (_req, decide) => {
        framework.engine.close();
        decide(null, true);
      },
    });
    const response = await fetch(`${endpoint(framework)}?EIO=4&transport=polling`);
    expect([response.status, await response.json()]).toEqual([503, { code: 4, message: "Server is closing" }]);
    // Whoever closes the engine waits for no client: an undecided upgrade is dropped.
    await expect(refusedUpgrade(upgradeUrl(framework))).rejects.toThrow("socket hang up");
  });

  it("carries the refusals of the engine through the framework's reply", async () => {
    const framework = await startFramework();
    const response = await fetch(`${endpoint(framework)}?EIO=4&transport=polling&sid=nobody`);
    expect([response.status, response.headers.get("x-framework")]).toEqual([400, "small"]);
    expect(await response.json()).toEqual({ code: 1, message: "Session ID unknown" });
  });
});

describe("an upgrade that a framework hands on", () => {
  const open = (framework: SmallFramework, path = "/socket.io/?EIO=4&transport=websocket"): RawWebSocketPeer => {
    const peer = new RawWebSocketPeer(framework.url + path);
    onTestFinished(() => peer.socket.terminate());
    return peer;
  };

  it("gets cookies and security headers onto the 101, beside those of the engine's listeners", async () => {
    const framework = await startFramework();
    framework.hooks.push(({ fields }) => {
      fields["Set-Cookie"] = ["login=1; HttpOnly", "seen=2"];
      fields["Strict-Transport-Security"] = "max-age=1";
    });
    framework.engine.on("headers", (headers: Record<string, string>) => (headers["x-engine"] = "yes"));
    const peer = open(framework);
    const [response] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, unknown> }];
    expect(response.headers).toMatchObject({
      "set-cookie": ["login=1; HttpOnly", "seen=2"],
      "strict-transport-security": "max-age=1",
      "x-framework": "small",
      "x-engine": "yes",
    });
    expect(await peer.next()).toMatch(/^0/);
  });

  it("gets them as well when it goes on with a session of polling", async () => {
    const framework = await startFramework();
    const polling = new RawPollingPeer(endpoint(framework));
    const { sid } = await polling.open();
    const peer = open(framework, `/socket.io/?EIO=4&transport=websocket&sid=${sid}`);
    const [response] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, unknown> }];
    expect(response.headers["x-framework"]).toBe("small");
    peer.send("2probe");
    expect(await peer.next()).toBe("3probe");
  });

  it("is refused with status, fields and body on the raw socket, which ends", async () => {
    const framework = await startFramework();
    framework.hooks.push(({ fields }) => {
      fields["WWW-Authenticate"] = "Bearer";
      throw new HttpError(401, "who are you?");
    });
    const { status, headers, body } = await refusedUpgrade(upgradeUrl(framework));
    expect([status, body]).toEqual([401, "who are you?"]);
    expect(headers).toMatchObject({ "www-authenticate": "Bearer", "x-framework": "small", connection: "close" });
    await untilNoConnections(framework);
  });

  it("may come to nothing while hooks run: the client has gone, and no session begins", async () => {
    const framework = await startFramework();
    let release: () => void = () => {};
    const asked = new Promise<TcpSocket>((resolve) => {
      framework.hooks.push(({ req }) => {
        resolve(req.socket);
        return new Promise<void>((let_in) => (release = let_in));
      });
    });
    const client = connect(framework.port, "127.0.0.1", () => {
      client.write(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    });
    client.on("error", () => {});
    const socket = await asked;
    const closed = nextEvent(socket, "close");
    client.resetAndDestroy();
    await closed;
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(framework.engine.clientsCount).toBe(0);
    await untilNoConnections(framework);
  });

  it("is left alone when it is not the engine's, as are the listeners of others", async () => {
    const framework = await startFramework();
    const others = new WebSocketServer({ noServer: true });
    framework.webServer.on("upgrade", (req, socket, head) => {
      if (req.url === "/theirs") others.handleUpgrade(req, socket, head, (websocket) => websocket.send("hello"));
    });
    expect(framework.webServer.listenerCount("upgrade")).toBe(2);
    expect(framework.webServer.listenerCount("request")).toBe(1);
    expect(await open(framework, "/theirs").next()).toBe("hello");
    expect(await open(framework).next()).toMatch(/^0/);
    expect((await fetch(`${framework.url}/elsewhere`)).status).toBe(404);
    expect(framework.engine.matches("/theirs")).toBe(false);
    expect(framework.engine.matches("/socket.io/?EIO=4")).toBe(true);
    expect(framework.engine.matches("/socket.io.evil/?EIO=4")).toBe(false);
  });
});
