import { once } from "node:events";
import { createServer, request } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { MemoryRequest } from "@plugboard/testkit";
import { openClient } from "../../support/connect-client.js";
import { plugboard } from "../../support/interop-implementation.js";
import { interopSuite } from "../../support/interop-suite.js";
import { nextEvent } from "../../support/next-event.js";
import { openRawPolling, openRawWebSocket, type EngineSession } from "../../support/raw-session.js";

interopSuite("closing sessions", ({ startServer }) => {
  it("ends a websocket session after it has drained", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const log: string[] = [];
    session.on("drain", () => log.push("drain"));
    session.on("close", () => log.push("close"));
    const closed = nextEvent(session, "close");

    session.send("a");
    session.send("b");
    session.send("c");
    session.close();

    expect(await peer.frames.take(3)).toEqual(["4a", "4b", "4c"]);
    await closed;
    expect(log[0]).toBe("drain");
    expect(log.indexOf("close")).toBe(log.length - 1);
  });

  it("ends a polling session after it has drained", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const log: string[] = [];
    session.on("drain", () => log.push("drain"));
    session.on("close", () => log.push("close"));

    session.send("a");
    session.send("b");
    session.send("c");
    session.close();

    expect((await peer.poll()).body).toBe("4a\x1e4b\x1e4c");
    expect(log).toEqual(["drain"]);
    const closed = nextEvent(session, "close");
    expect((await peer.poll()).body).toBe("6\x1e1");
    await closed;
    expect(log).toEqual(["drain", "close"]);
  });

  it("shows a polling client a transport error, and nothing that was queued, when the engine closes", async () => {
    const server = await startServer();
    server.io.engine.on("connection", (session: EngineSession) => {
      session.send("queued");
      server.io.engine.close();
    });
    const client = openClient(server.url, { autoConnect: false, travel: "polling" });
    client.io.open();
    const received: unknown[] = [];
    client.io.engine.on("data", (data) => received.push(data));

    const [reason] = await nextEvent(client.io.engine, "close");

    expect(reason).toBe("transport error");
    expect(received).toEqual([]);
  });

  it("delivers over polling what is sent right before a close in the connection handler", async () => {
    const server = await startServer();
    server.io.engine.on("connection", (session: EngineSession) => {
      session.send("last words");
      session.close();
    });

    const { peer } = await openRawPolling(server);

    expect((await peer.poll()).body).toBe("4last words");
    expect((await peer.poll()).body).toBe("6\x1e1");
  });

  it("lets the web server close though a POST was under way", async () => {
    const server = await startServer();
    const { peer } = await openRawPolling(server);
    const arrived = once(server.webServer, "request");
    const post = request(peer.url(), { method: "POST" });
    const cut = once(post, "response").catch((error: unknown) => error);
    post.write("4");
    await arrived;

    await server.io.close();

    expect(await cut).toBeInstanceOf(Error);
    expect(server.webServer.listening).toBe(false);
  });
});

describe("a closing session", () => {
  afterEach(() => void vi.useRealTimers());

  it("is sent no ping any more", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const io = plugboard.createServer(undefined, { pingInterval: 1000, pingTimeout: 1000 });
    io.attach(createServer());
    const { engine } = io as unknown as { engine: { handle(request: MemoryRequest): Promise<{ body: unknown }> } };
    const accepted = nextEvent<[EngineSession]>(engine, "connection");
    await engine.handle(new MemoryRequest("/socket.io/?EIO=4&transport=polling"));
    const [session] = await accepted;

    const created: string[] = [];
    session.on("packetCreate", ({ type }) => created.push(type));

    session.close();
    vi.advanceTimersByTime(1500);
    const { body } = await engine.handle(
      new MemoryRequest(`/socket.io/?EIO=4&transport=polling&sid=${Reflect.get(session, "id")}`),
    );

    expect(created).toEqual([]);
    expect(body).toBe("6\x1e1");
    await io.close();
  });
});
