import { once } from "node:events";
import { RawWebSocketPeer, startEngine } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { EngineOptions } from "./index.js";

const WEBSOCKET = "?EIO=4&transport=websocket";

describe("the upgrade", () => {
  async function startUpgrade(options?: EngineOptions) {
    const context = await startEngine(options);
    const { sid } = await context.peer.open();
    const session = await context.connected;
    const socket = new RawWebSocketPeer(`${context.url}${WEBSOCKET}&sid=${sid}`);
    await socket.opened();
    return { ...context, session, socket, sid };
  }

  it("probes, releases the pending poll, and moves the session over", async () => {
    const { peer, session, socket } = await startUpgrade();
    const upgrading = once(session, "upgrading");
    const poll = peer.poll();
    socket.send("2probe");
    expect(await socket.next()).toBe("3probe");
    await upgrading;
    expect((await poll).body).toBe("6");
    session.send("while probing");
    const upgraded = once(session, "upgrade");
    socket.send("5");
    expect((await upgraded)[0]).toMatchObject({ name: "websocket" });
    expect(await socket.next()).toBe("4while probing");
    expect(session.upgraded).toBe(true);
    expect(session.transport.name).toBe("websocket");
    expect(await peer.poll()).toMatchObject({ status: 400, body: '{"code":3,"message":"Bad request"}' });
  });

  it("answers a poll that comes while probing", async () => {
    const { peer, socket } = await startUpgrade();
    socket.send("2probe");
    await socket.next();
    expect((await peer.poll()).body).toBe("6");
    expect((await peer.poll()).body).toBe("6");
  });

  it("is given up when the candidate says something else, and polling goes on", async () => {
    const { peer, session, socket } = await startUpgrade();
    socket.send("4hello");
    await socket.closed;
    expect(session.upgrading).toBe(false);
    session.send("still polling");
    expect((await peer.poll()).body).toBe("4still polling");
  });

  it("is given up after the timeout", async () => {
    const { session, socket } = await startUpgrade({ upgradeTimeout: 20 });
    await socket.closed;
    expect(session.upgrading).toBe(false);
    expect(session.readyState).toBe("open");
  });

  it("closes a second candidate and leaves the session alone", async () => {
    const { url, sid, session, socket } = await startUpgrade();
    const second = new RawWebSocketPeer(`${url}${WEBSOCKET}&sid=${sid}`);
    expect(await second.closed).toBe(1005);
    const upgraded = once(session, "upgrade");
    socket.send("5");
    await upgraded;
    const third = new RawWebSocketPeer(`${url}${WEBSOCKET}&sid=${sid}`);
    expect(await third.closed).toBe(1005);
    expect(session.readyState).toBe("open");
  });

  it("ends with the session", async () => {
    const { session, socket } = await startUpgrade();
    session.close(true);
    await socket.closed;
    expect(session.upgrading).toBe(false);
  });

  it("delivers what was queued while probing also when the session is being closed", async () => {
    const { peer, session, socket } = await startUpgrade();
    const poll = peer.poll();
    socket.send("2probe");
    await socket.next();
    await poll;
    session.send("last words");
    session.close();
    const closed = once(session, "close");
    socket.send("5");
    expect(await socket.next()).toBe("4last words");
    expect(await socket.closed).toBe(1005);
    expect((await closed)[0]).toBe("forced close");
  });

  it("closes the new transport when the session was being closed with nothing left to say", async () => {
    const { session, socket } = await startUpgrade();
    session.close();
    socket.send("5");
    expect(await socket.closed).toBe(1005);
    expect(session.readyState).toBe("closed");
  });

  it("does not lose the deadline of a pong that is outstanding", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { peer, session, socket } = await startUpgrade({ pingInterval: 5000, pingTimeout: 4000 });
    vi.advanceTimersByTime(5010);
    expect((await peer.poll()).body).toBe("2");
    const upgraded = once(session, "upgrade");
    socket.send("5");
    await upgraded;
    const closed = once(session, "close");
    vi.advanceTimersByTime(4010);
    expect(await closed).toEqual(["ping timeout", undefined]);
  });

  it("neither loses nor reorders 500 messages each way", async () => {
    const { peer, session, socket } = await startUpgrade();
    const received: string[] = [];
    session.on("message", (data: string) => received.push(data));
    const got: string[] = [];
    const collect = (payload: string): void => {
      for (const packet of payload.split("\x1e")) if (packet.startsWith("4")) got.push(packet.slice(1));
    };
    let sent = 0;
    const sendSome = (): void => {
      for (let count = 0; count < 50; count++) session.send(String(sent++));
    };
    for (let batch = 0; batch < 5; batch++) {
      sendSome();
      await peer.post(Array.from({ length: 50 }, (_, index) => `4${batch * 50 + index}`).join("\x1e"));
      if (batch === 1) socket.send("2probe");
      sendSome();
      collect((await peer.poll()).body);
    }
    expect(await socket.next()).toBe("3probe");
    sendSome();
    socket.send("5");
    for (let index = 250; index < 500; index++) socket.send(`4${index}`);
    while (got.length < sent) collect(String(await socket.next()));
    expect(got).toEqual(Array.from({ length: sent }, (_, index) => String(index)));
    if (received.length < 500) {
      await new Promise<void>((resolve) => session.on("message", () => received.length === 500 && resolve()));
    }
    expect(received).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
  });
});
