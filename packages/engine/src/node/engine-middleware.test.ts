import { once } from "node:events";
import { createServer } from "node:http";
import { listen, RawWebSocketPeer, startEngine } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Engine } from "../index.js";

const WEBSOCKET = "?EIO=4&transport=websocket";

describe("middlewares", () => {
  it("run in order for requests and upgrades, and their header fields get through", async () => {
    const { engine, url, origin } = await startEngine();
    const order: string[] = [];
    engine.use((req, res, next) => {
      order.push(`first ${(req as unknown as { _query: { transport: string } })._query.transport}`);
      res.setHeader("x-one", ["1", "2"]);
      next();
    });
    engine.use((_req, _res, next) => {
      order.push("second");
      next();
      next();
    });
    const polled = await fetch(`${url}?EIO=4&transport=polling`);
    expect(polled.headers.get("x-one")).toBe("1, 2");
    const refused = await fetch(url);
    expect(refused.headers.get("x-one")).toBe("1, 2");
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const [response] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, string> }];
    expect(response.headers["x-one"]).toBe("1, 2");
    expect(order).toEqual(["first polling", "second", "first undefined", "second", "first websocket", "second"]);
    expect(origin).toBeTruthy();
  });

  it.each([
    ["passes an error on", (next: (error?: unknown) => void) => next(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("one that %s refuses the request", async (_what, fail) => {
    const { engine, url } = await startEngine();
    engine.use((_req, _res, next) => fail(next) as void);
    const reported = once(engine, "connection_error");
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
    expect((await reported)[0]).toMatchObject({ context: { name: "MIDDLEWARE_FAILURE" } });
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
  });

  it("one that answers by itself keeps the request", async () => {
    const { engine, url } = await startEngine();
    engine.use((_req, res) => void res.writeHead(503).end("later"));
    let connections = 0;
    engine.on("connection", () => connections++);
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(503);
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow();
    expect(connections).toBe(0);
  });

  it("cors answers preflights and marks refusals too", async () => {
    const { url } = await startEngine({ cors: { origin: "http://good.example", credentials: true } });
    const preflight = await fetch(url, { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("http://good.example");
    const refused = await fetch(url);
    expect(refused.status).toBe(400);
    expect(refused.headers.get("access-control-allow-credentials")).toBe("true");
  });
});

describe("header fields", () => {
  it("are announced once for the handshake and once for every answer", async () => {
    const { engine, peer, url } = await startEngine();
    const log: string[] = [];
    engine.on("flush", () => log.push("flush"));
    engine.on("initial_headers", (headers: Record<string, string>) => {
      log.push("initial_headers");
      headers["x-initial"] = "yes";
    });
    engine.on("headers", () => log.push("headers"));
    engine.on("drain", () => log.push("drain"));
    engine.on("connection", () => log.push("connection"));
    await peer.open();
    expect(log.splice(0)).toEqual(["flush", "initial_headers", "headers", "drain", "connection"]);
    await peer.post("4a");
    expect(log.splice(0)).toEqual(["headers"]);
    const socket = new RawWebSocketPeer(url + WEBSOCKET);
    const [response] = (await once(socket.socket, "upgrade")) as [{ headers: Record<string, string> }];
    expect(response.headers["x-initial"]).toBe("yes");
    expect(log).toEqual(["initial_headers", "headers", "flush", "drain", "connection"]);
  });

  it("carry the cookie of the engine and that of a listener, on polling handshakes alone", async () => {
    const { engine, url } = await startEngine({ cookie: true });
    engine.on("initial_headers", (headers: Record<string, string>) => (headers["set-cookie"] = "mine=1"));
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
    expect(response.headers.getSetCookie()).toEqual([`io=${sid}; Path=/; HttpOnly; SameSite=Lax`, "mine=1"]);
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const [upgrade] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, string[]> }];
    expect(upgrade.headers["set-cookie"]).toEqual(["mine=1"]);
  });

  it("given to handleUpgrade are added to the 101 answer", async () => {
    const server = createServer();
    const engine = new Engine();
    onTestFinished(() => void engine.close());
    server.on("upgrade", (req, socket, head) =>
      engine.handleUpgrade(req, socket, head, { headers: { "Set-Cookie": ["a=1", "b=2"] } }),
    );
    const origin = await listen(server);
    const peer = new RawWebSocketPeer(`${origin}/engine.io/${WEBSOCKET}`);
    const [response] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, string[]> }];
    expect(response.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(await peer.next()).toMatch(/^0/);
  });
});
