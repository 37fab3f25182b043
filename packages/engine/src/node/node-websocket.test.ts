import { once } from "node:events";
import { exchange, RawWebSocketPeer, startEngine, upgradeRequest } from "@plugboard/testkit";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";

const WEBSOCKET = "?EIO=4&transport=websocket";

describe("websocket", () => {
  it("carries text and binary both ways", async () => {
    const { url, connected } = await startEngine();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    session.on("message", (data: string | Buffer) => session.send(data));
    expect(await peer.next()).toContain('"upgrades":[]');
    const large = new Uint8Array(100_000).fill(7);
    for (const frame of ["4a", "4é", new Uint8Array([1, 2]), large, "4" + "b".repeat(70_000)]) {
      peer.send(frame);
      expect(await peer.next()).toEqual(frame);
    }
  });

  it("goes through the messages of ws when compression was negotiated", async () => {
    const { url, connected } = await startEngine({ perMessageDeflate: { threshold: 0 } });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    expect(peer.socket.extensions).toBe("");
    await peer.next();
    expect(peer.socket.extensions).toBe("permessage-deflate");
    session.send("a".repeat(2000));
    session.send(Buffer.alloc(2000));
    expect(await peer.next()).toBe("4" + "a".repeat(2000));
    expect(await peer.next()).toEqual(new Uint8Array(2000));
  });

  it("works with a WebSocket engine of the user's choice", async () => {
    class OtherEngine extends WebSocketServer {}
    const { url, connected } = await startEngine({ wsEngine: OtherEngine as never });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.next();
    session.send("a", () => session.send("written"));
    expect(await peer.next()).toBe("4a");
    expect(await peer.next()).toBe("4written");
  });

  it("tells what waits for a client that does not read, and when nothing waits any more", async () => {
    const { url, connected } = await startEngine();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.next();
    peer.socket.pause();
    const frame = "x".repeat(100_000);
    let count = 0;
    while (session.bufferedAmount === 0) {
      session.send(frame);
      count++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const idle = once(session, "idle");
    peer.socket.resume();
    await idle;
    expect(session.bufferedAmount).toBe(0);
    for (let index = 0; index < count; index++) expect((await peer.next()).length).toBe(frame.length + 1);
  });

  it("sends what was queued before the close frame", async () => {
    const { url, connected } = await startEngine();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    session.send("a");
    session.send("b");
    session.close();
    await peer.next();
    expect([await peer.next(), await peer.next()]).toEqual(["4a", "4b"]);
    expect(await peer.closed).toBe(1005);
  });

  it("calls back for what has left with an orderly close", async () => {
    const { url, connected } = await startEngine();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.next();
    const log: string[] = [];
    session.on("close", () => log.push("closed"));
    session.send("a", () => log.push("a has left"));
    session.close();
    expect(await peer.next()).toBe("4a");
    expect(await peer.closed).toBe(1005);
    expect(log).toEqual(["a has left", "closed"]);
  });

  it("is cut a second after the close frame when the client does not answer it", async () => {
    const { engine, server, origin, connected } = await startEngine();
    const bytes = exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`));
    await connected;
    engine.close();
    const closed = once(server, "close");
    server.close();
    await closed;
    expect(await bytes).toMatch(/\x88\x00$/);
  });

  it("answers pings of the WebSocket layer behind what was sent before", async () => {
    const { url, connected } = await startEngine();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    await peer.opened();
    await connected;
    peer.socket.ping("are you there");
    expect(String((await once(peer.socket, "pong"))[0])).toBe("are you there");
  });

  it("ends with the reason of ws when a message is too large", async () => {
    const { url, connected } = await startEngine({ maxHttpBufferSize: 100 });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.opened();
    const closed = once(session, "close");
    peer.send("4" + "a".repeat(100));
    expect(await peer.closed).toBe(1009);
    expect(await closed).toMatchObject(["transport error", { message: "RangeError: Max payload size exceeded" }]);
  });

  it.each(["fresh", "upgrading"])("survives garbage after the upgrade of a %s session", async (kind) => {
    const { origin, peer, engine } = await startEngine();
    const sid = kind === "fresh" ? "" : `&sid=${(await peer.open()).sid}`;
    const head = upgradeRequest(`/engine.io/${WEBSOCKET}${sid}`);
    const answer = await exchange(origin, head + "\xff\xff\xff\xff");
    expect(answer).toContain("101 Switching Protocols");
    expect(engine.clientsCount).toBe(kind === "fresh" ? 0 : 1);
  });
});
