import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { exchange, listen, RawWebSocketPeer, startEngine, upgradeRequest } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { Engine, type AttachOptions } from "../index.js";

const WEBSOCKET = "?EIO=4&transport=websocket";

describe("attaching to an HTTP server", () => {
  it("leaves other URLs to the listeners that were there, each called once", async () => {
    const server = createServer();
    let calls = 0;
    server.on("request", () => calls++);
    server.on("request", (_req, res) => {
      calls++;
      res.end("theirs");
    });
    const engine = new Engine().attach(server);
    onTestFinished(() => void engine.close());
    const origin = await listen(server);
    expect(await (await fetch(`${origin}/other`)).text()).toBe("theirs");
    expect(await (await fetch(`${origin}/engine.io?EIO=4&transport=polling`)).text()).toBe("theirs");
    expect(calls).toBe(4);
    expect((await fetch(`${origin}/engine.io/deep/er?EIO=4&transport=polling`)).status).toBe(200);
    expect(calls).toBe(4);
  });

  it("takes URLs without a slash behind the path when asked to", async () => {
    const { origin, engine } = await startEngine({ addTrailingSlash: false });
    expect((await fetch(`${origin}/engine.io?EIO=4&transport=polling`)).status).toBe(200);
    expect((await fetch(`${origin}/engine.io/?EIO=4&transport=polling`)).status).toBe(200);
    expect(engine.matches("/engine.io?x")).toBe(true);
  });

  it("puts the listeners back when it is detached, those added meanwhile included", async () => {
    const server = createServer();
    const before = (): void => {};
    const meanwhile = (): void => {};
    server.on("request", before);
    const engine = new Engine().attach(server);
    server.on("request", meanwhile);
    expect(engine.matches("/engine.io/?x")).toBe(true);
    engine.detach();
    expect(server.listeners("request")).toEqual([before, meanwhile]);
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(server.listenerCount("close")).toBe(0);
  });

  it("serves two engines on one server", async () => {
    const server = createServer();
    const first = new Engine().attach(server, { path: "/first" });
    const second = new Engine().attach(server, { path: "/second/" });
    onTestFinished(() => void (first.close(), second.close()));
    const origin = await listen(server);
    for (const path of ["/first/", "/second/"]) {
      const peer = new RawWebSocketPeer(origin + path + WEBSOCKET);
      expect(await peer.next()).toMatch(/^0/);
    }
    expect([first.clientsCount, second.clientsCount]).toEqual([1, 1]);
  });

  it("ends an upgrade that nobody takes, and leaves one alone that somebody listens for", async () => {
    const { server, origin } = await startEngine();
    const lonely = await startEngine({ destroyUpgradeTimeout: 10 } as AttachOptions);
    expect(await exchange(lonely.origin, upgradeRequest("/elsewhere"))).toBe("");
    const others = new WebSocketServer({ noServer: true });
    server.on("upgrade", (req, socket, head) => {
      if (req.url === "/theirs") others.handleUpgrade(req, socket, head, (ws) => ws.send("hello"));
    });
    const peer = new RawWebSocketPeer(`${origin}/theirs`);
    expect(await peer.next()).toBe("hello");
    peer.close();
  });

  it.each([
    ["that has been answered", (res: ServerResponse) => res.end()],
    ["whose answer is not over", (res: ServerResponse) => res.write("so far")],
  ])("ends an upgrade that nobody takes behind a request %s", async (_, answer) => {
    const server = createServer();
    const engine = new Engine().attach(server, { destroyUpgradeTimeout: 10 });
    onTestFinished(() => void engine.close());
    server.on("request", (_req, res) => void answer(res));
    const origin = await listen(server);
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(socket, "data");
    const closed = new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
    socket.write(upgradeRequest("/elsewhere"));
    await closed;
  });

  it("survives that the client of a foreign upgrade resets its connection, whoever listens", async () => {
    const { server, origin, url } = await startEngine();
    const seen = once(server, "upgrade");
    const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => socket.write(upgradeRequest("/theirs")));
    const [, theirs] = (await seen) as [unknown, Socket];
    const closed = new Promise((resolve) => theirs.on("close", resolve));
    socket.resetAndDestroy();
    await closed;
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(200);
  });

  it("serves again after the HTTP server was closed and listens anew", async () => {
    const { server, engine } = await startEngine();
    server.close();
    await once(server, "close");
    const origin = await listen(server);
    const peer = new RawWebSocketPeer(`${origin}/engine.io/${WEBSOCKET}`);
    expect(await peer.next()).toMatch(/^0/);
    expect(engine.clientsCount).toBe(1);
  });

  it("answers a plain GET on the upgrade path, an upgrade without query and an upgrade without key", async () => {
    const { origin } = await startEngine();
    expect(await exchange(origin, upgradeRequest("/engine.io/"))).toMatch(/400 Bad Request[^]*Transport unknown$/);
    const withoutKey = upgradeRequest(`/engine.io/${WEBSOCKET}`).replace(/Sec-WebSocket-Key.*\r\n/, "");
    expect(await exchange(origin, withoutKey)).toContain("400 Bad Request");
  });

  it("answers an upgrade to polling with a WebSocket that closes at once", async () => {
    const { url } = await startEngine();
    const peer = new RawWebSocketPeer(`${url}?EIO=4&transport=polling`);
    expect(await peer.closed).toBe(1005);
  });
});
