import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Engine, type EngineOptions, type Session } from "./index.js";

describe("Engine", () => {
  const closers: Array<() => void> = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));
  async function start(options?: EngineOptions) {
    const server = createServer((_req, res) => res.writeHead(404).end());
    const engine = new Engine(options).attach(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(() => {
      engine.close();
      server.close();
      server.closeAllConnections();
    });
    return { engine, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/engine.io/` };
  }
  it("polls", async () => {
    const { engine, url } = await start();
    engine.on("connection", (session: Session) => session.on("message", (m) => session.send(m)));
    const open = await fetch(url + "?EIO=4&transport=polling");
    const body = await open.text();
    expect(body).toMatch(/^0\{"sid"/);
    const { sid } = JSON.parse(body.slice(1));
    const poll = fetch(url + `?EIO=4&transport=polling&sid=${sid}`);
    const post = await fetch(url + `?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "4héllo" });
    expect(await post.text()).toBe("ok");
    expect(await (await poll).text()).toBe("4héllo");
  });
  it("ws", async () => {
    const { engine, url } = await start();
    engine.on("connection", (session: Session) => session.on("message", (m) => session.send(m)));
    const ws = new WebSocket(url.replace("http", "ws") + "?EIO=4&transport=websocket");
    const got: string[] = [];
    ws.on("message", (m, b) => {
      got.push(b ? `bin${(m as Buffer).length}` : m.toString());
      if (got.length === 5) ws.close();
      if (got.length === 1) {
        ws.send("4a");
        ws.send("4é");
        ws.send(Buffer.alloc(5));
        ws.send(Buffer.alloc(5000));
      }
    });
    await once(ws, "close");
    expect(got.slice(1)).toEqual(["4a", "4é", "bin5", "bin5000"]);
  });
});
