import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { listen, RawPollingPeer, RawWebSocketPeer, startEngine } from "@plugboard/testkit";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Engine, type AttachOptions, type EngineListenerFailure, type EngineOptions, type Session } from "./index.js";

async function start(options: EngineOptions & AttachOptions = {}) {
  const failures: EngineListenerFailure[] = [];
  const started = await startEngine({ onListenerError: (failure) => failures.push(failure), ...options });
  return { ...started, failures };
}

const WEBSOCKET = "?EIO=4&transport=websocket";
const boom = (): never => {
  throw new Error("boom");
};

describe("user code that fails", () => {
  it.each([
    ["throws", boom],
    ["rejects", () => Promise.reject(new Error("boom"))],
  ])("in allowRequest lets nobody in when it %s", async (_what, allowRequest) => {
    const { engine, url } = await start({ allowRequest: allowRequest as never });
    const reported: unknown[] = [];
    engine.on("connection_error", (error: unknown) => reported.push(error));
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(403);
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
    expect(reported).toMatchObject(Array(2).fill({ code: 4, context: { error: { message: "boom" } } }));
  });

  it.each([
    ["gives no string", () => 5],
    ["gives an empty string", () => ""],
    ["throws", boom],
  ])("in generateId refuses the handshake when it %s", async (_what, generateId) => {
    const { engine, url } = await start();
    engine.generateId = generateId as never;
    const reported = once(engine, "connection_error");
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
    expect((await reported)[0]).toMatchObject({ code: 3, context: { name: "ID_GENERATION_ERROR" } });
  });

  it("in generateId cannot take over an open session", async () => {
    const { engine, url, peer } = await start();
    engine.generateId = () => "always the same";
    await peer.open();
    const session = engine.clients["always the same"];
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
    expect(engine.clients["always the same"]).toBe(session);
    expect(engine.clientsCount).toBe(1);
  });

  it.each(["connection", "headers", "initial_headers", "connection_error", "flush", "drain"])(
    "in a listener of the engine's %s is reported, and the request is served",
    async (event) => {
      const { engine, failures, peer, url } = await start();
      engine.on(event, boom);
      await peer.open();
      expect((await peer.post("4a")).body).toBe("ok");
      expect((await fetch(url)).status).toBe(400);
      expect(failures[0]).toMatchObject({ event, error: { message: "boom" } });
      expect(engine.clientsCount).toBe(1);
    },
  );

  it("in a listener of a session is reported, sync or async, and the session lives", async () => {
    const { engine, failures, url } = await start();
    engine.on("connection", (session: Session) => {
      session.on("message", boom);
      session.on("message", () => Promise.reject(new Error("later")));
      session.on("packetCreate", boom);
      session.on("close", boom);
    });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    await peer.next();
    peer.send("4a");
    const [session] = Object.values(engine.clients) as [Session];
    await once(session, "data");
    const closed = once(session, "close");
    session.send("still here");
    expect(await peer.next()).toBe("4still here");
    peer.close();
    await closed;
    expect(failures.map(({ event, error }) => `${String(event)} ${(error as Error).message}`)).toEqual([
      "message boom",
      "message later",
      "packetCreate boom",
      "close boom",
    ]);
  });

  it("in a send callback is reported, and every other client of that turn gets its messages", async () => {
    const { engine, failures, url } = await start();
    const peers = [new RawWebSocketPeer(url + WEBSOCKET), new RawWebSocketPeer(url + WEBSOCKET)];
    for (const peer of peers) await peer.next();
    const sessions = Object.values(engine.clients);
    for (const session of sessions) session.send("one", boom);
    for (const peer of peers) expect(await peer.next()).toBe("4one");
    for (const session of sessions) session.send("two");
    for (const peer of peers) expect(await peer.next()).toBe("4two");
    expect(failures).toHaveLength(2);
  });

  it("in a middleware, with something falsy, still refuses the request", async () => {
    const { engine, url } = await start();
    engine.use(() => Promise.reject(0));
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
  });

  it("in a middleware cannot smuggle a field into the 101 answer", async () => {
    const { engine, url, failures } = await start();
    engine.use((req, res, next) => {
      res.setHeader("x-echo", (req as unknown as { _query: { echo: string } })._query.echo);
      next();
    });
    const echo = encodeURIComponent("a\r\nSet-Cookie: admin=1");
    await expect(new RawWebSocketPeer(`${url}${WEBSOCKET}&echo=${echo}`).opened()).rejects.toThrow("400");
    expect(failures).toEqual([]);
  });

  it("in what a middleware puts around writeHead cuts the poll, and is reported", async () => {
    const { engine, url, failures } = await start();
    engine.use((_req, res, next) => {
      Object.assign(res, { writeHead: boom });
      next();
    });
    await expect(fetch(`${url}?EIO=4&transport=polling`)).rejects.toThrow();
    expect(failures).toMatchObject([{ event: "request", error: { message: "boom" } }]);
  });

  it("in what a middleware puts around writeHead refuses the upgrade", async () => {
    const { engine, url } = await start();
    engine.use((_req, res, next) => {
      const { writeHead } = res as { writeHead(): unknown };
      res.writeHead = () => {
        res.setHeader("x-late", "a\r\nb");
        return writeHead.call(res);
      };
      next();
    });
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
  });

  it("in a headers listener cannot smuggle a field into the 101 answer either", async () => {
    const { engine, url, failures } = await start();
    engine.on("headers", (headers: Record<string, string>) => (headers["x-echo"] = "a\r\nSet-Cookie: admin=1"));
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow();
    expect(failures).toMatchObject([{ event: "upgrade", error: { code: "ERR_INVALID_CHAR" } }]);
    expect(engine.clientsCount).toBe(0);
  });
});

describe("an option that cannot work", () => {
  it("is refused when the engine is made, not when the first client comes", () => {
    expect(() => new Engine({ wsEngine: "ws" as never })).toThrow("wsEngine has to be a class");
  });
});

describe("closing", () => {
  it.each(["allowRequest", "a middleware"])(
    "drops handshakes that wait for %s, and lets none of them in",
    async (who) => {
      const waiting: Array<() => void> = [];
      let arrived: () => void;
      const both = new Promise<void>((resolve) => (arrived = () => waiting.length === 2 && resolve()));
      const wait = (goOn: () => void): void => {
        waiting.push(goOn);
        arrived();
      };
      const options: EngineOptions =
        who === "allowRequest" ? { allowRequest: (_req, decide) => wait(() => decide(null, true)) } : {};
      const { engine, server, url } = await start(options);
      if (who !== "allowRequest") engine.use((_req, _res, next) => wait(next));
      const polling = fetch(`${url}?EIO=4&transport=polling`).then(
        () => "answered",
        () => "dropped",
      );
      const websocket = new RawWebSocketPeer(url + WEBSOCKET);
      await both;
      engine.close();
      const closed = once(server, "close");
      server.close();
      await closed;
      for (const goOn of waiting) goOn();
      expect(await polling).toBe("dropped");
      await expect(websocket.opened()).rejects.toThrow();
      expect(engine.clientsCount).toBe(0);
    },
  );

  it("ends connections that have not sent a request, so that the HTTP server can close", async () => {
    const { engine, server, origin } = await start();
    const accepted = once(server, "connection");
    const silent = connect(Number(new URL(origin).port), "127.0.0.1").on("error", () => {});
    await accepted;
    const closed = once(server, "close");
    engine.close();
    server.close();
    await closed;
    silent.destroy();
  });

  it("serves again afterwards", async () => {
    const { engine, peer } = await start();
    engine.close();
    await peer.open();
    expect(engine.clientsCount).toBe(1);
  });
});

describe("several engines on one HTTP server", () => {
  afterEach(() => void vi.useRealTimers());

  it("can leave it in any order", async () => {
    const server = createServer((_req, res) => void res.writeHead(404).end("not ours"));
    const first = new Engine({ path: "/first" }).attach(server);
    const second = new Engine({ path: "/second" }).attach(server);
    onTestFinished(() => void (first.close(), second.close()));
    const origin = await listen(server);
    const status = async (path: string): Promise<number> =>
      (await fetch(`${origin}${path}/?EIO=4&transport=polling`)).status;
    first.detach();
    expect([await status("/first"), await status("/second")]).toEqual([404, 200]);
    second.detach();
    expect([await status("/first"), await status("/second")]).toEqual([404, 404]);
  });

  it("leave each other's clients alone when one of them closes", async () => {
    const server = createServer();
    const first = new Engine({ path: "/first" }).attach(server);
    const second = new Engine({ path: "/second" }).attach(server);
    onTestFinished(() => void (first.close(), second.close()));
    const origin = await listen(server);
    const peer = new RawPollingPeer(`${origin}/second/`);
    await peer.open();
    const [session] = Object.values(second.clients) as [Session];
    const poll = peer.poll();
    while (!session.transport.writable) await new Promise((resolve) => setImmediate(resolve));
    first.close();
    session.send("still here");
    expect((await poll).body).toBe("4still here");
  });

  it("leave each other's slow upgrades alone", async () => {
    const server = createServer();
    const first = new Engine({ path: "/first" }).attach(server);
    let letIn: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      const second = new Engine({
        path: "/second",
        allowRequest: (_req, decide) => {
          letIn = () => decide(null, true);
          resolve();
        },
      }).attach(server);
      onTestFinished(() => void (first.close(), second.close()));
    });
    const origin = await listen(server);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const peer = new RawWebSocketPeer(`${origin}/second/${WEBSOCKET}`);
    await asked;
    // Longer than the first engine leaves open what is nobody's.
    vi.advanceTimersByTime(60_000);
    letIn?.();
    expect(await peer.next()).toMatch(/^0/);
  });
});
