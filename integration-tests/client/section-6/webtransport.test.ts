import { createWebTransportPair, type WebTransportEnd } from "@plugboard/testkit";
import { expect, it, onTestFinished, vi } from "vitest";
import type { EngineSession } from "../../support/raw-session.js";
import type { ListeningServer } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import type { ClientImplementation } from "../support/clients.js";
import { clientOnlySuite } from "../support/client-suite.js";
import { happens, stopTimers } from "../../support/fake-clock.js";

/** What the published server does with sessions of HTTP/3, which Node has not. */
interface WebTransportServer {
  onWebTransportSession(session: unknown): Promise<void>;
}

/** Gives this process the class of the browsers; each session goes to the server, in memory. */
function installWebTransport(client: ClientImplementation, server: ListeningServer): void {
  class MemoryWebTransport {
    constructor() {
      const pair = createWebTransportPair();
      void (server.io.engine as unknown as WebTransportServer).onWebTransportSession(pair.server);
      return (client.ours ? pair.client : toleratingWrites(pair.client)) as MemoryWebTransport;
    }
  }
  vi.stubGlobal("WebTransport", MemoryWebTransport);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
}

/**
 * A session in which nobody hears of a write that fails: the published client leaves such a failure unhandled, which
 * would end the test run.
 */
function toleratingWrites(session: WebTransportEnd): object {
  return {
    ready: session.ready,
    closed: session.closed,
    close: () => session.close(),
    createBidirectionalStream: async () => {
      const { readable, writable } = await session.createBidirectionalStream();
      const writer = writable.getWriter();
      writer.closed.catch(() => {});
      return { readable, writable: new WritableStream({ write: (chunk) => writer.write(chunk).catch(() => {}) }) };
    },
  };
}

const all = { transports: ["polling", "websocket", "webtransport"] as const };

clientOnlySuite("webtransport", ({ client, startEngineServer, startServer, openEngine, open }) => {
  it("83: connects with webtransport alone, and exchanges text and bytes", async () => {
    const server = await startEngineServer({ transports: [...all.transports] });
    installWebTransport(client, server);
    server.io.engine.on("connection", (connection: EngineSession) => {
      connection.on("message", (data: string) => connection.send(data));
    });
    const engine = openEngine(server.url, { transports: ["webtransport"] });
    await nextEvent(engine, "open");
    const received: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      engine.on("message", (data: unknown) => received.push(data) === 3 && resolve());
    });

    engine.send("ä".repeat(200));
    engine.send(Buffer.alloc(70_000, 7) as unknown as string);
    engine.send("");
    await done;

    expect(engine.transport.name).toBe("webtransport");
    expect(received.slice(0, 1)).toEqual(["ä".repeat(200)]);
    expect(Buffer.compare(received[1] as Buffer, Buffer.alloc(70_000, 7))).toBe(0);
  });

  it("83: prefers webtransport to websocket when it upgrades and both are offered", async () => {
    const server = await startEngineServer({ transports: [...all.transports] });
    installWebTransport(client, server);
    const { NodeXHR, NodeWebSocket, WebTransport } = client.transports;
    let tried = 0;
    class Counted extends NodeWebSocket {
      override doOpen(): void {
        tried++;
        super.doOpen();
      }
    }
    // The websocket waits by a timer, which does not go on here: it would have been tried at once otherwise.
    stopTimers();
    const engine = openEngine(server.url, { transports: [NodeXHR, Counted, WebTransport] });

    await happens(engine, "upgrade");

    expect(engine.transport.name).toBe("webtransport");
    expect(tried).toBe(0);
  });

  it("83: answers the heartbeat of the server", async () => {
    const server = await startEngineServer({ transports: [...all.transports], pingInterval: 10, pingTimeout: 2000 });
    installWebTransport(client, server);
    const answered = new Promise<void>((resolve) => {
      let count = 0;
      server.io.engine.on("connection", (connection: EngineSession) => {
        connection.on("packet", ({ type }: { type: string }) => type === "pong" && ++count === 3 && resolve());
      });
    });

    openEngine(server.url, { transports: ["webtransport"] });

    await answered;
  });

  it("83: says 'transport close' when the server ends the session", async () => {
    const server = await startEngineServer({ transports: [...all.transports] });
    installWebTransport(client, server);
    server.io.engine.on("connection", (connection: EngineSession) => connection.close());
    const engine = openEngine(server.url, { transports: ["webtransport"] });

    const [reason] = await nextEvent<[string]>(engine, "close");

    expect(reason).toBe("transport close");
  });

  it("83: hands bytes over as its engine was told to", async () => {
    const server = await startEngineServer({ transports: [...all.transports] });
    installWebTransport(client, server);
    server.io.engine.on("connection", (connection: EngineSession) => connection.send(Buffer.from([1, 2, 3])));
    const kinds: [binaryType: string, expected: unknown][] = [
      ["nodebuffer", Buffer.from([1, 2, 3])],
      ["arraybuffer", Uint8Array.of(1, 2, 3).buffer],
    ];

    for (const [binaryType, expected] of kinds) {
      const engine = openEngine(server.url, { transports: ["webtransport"] });
      engine.binaryType = binaryType as typeof engine.binaryType;
      expect((await nextEvent(engine, "message"))[0]).toStrictEqual(expected);
    }
  });

  it("83: carries namespaces, events and answers", async () => {
    const server = await startServer({ transports: [...all.transports] });
    installWebTransport(client, server);
    server.io.on("connection", (peer) => peer.on("echo", (value, reply) => reply(value)));
    const socket = open(server.url, all);
    await nextEvent(socket, "connect");
    if (socket.io.engine.transport.name === "polling") await nextEvent(socket.io.engine, "upgrade");

    expect(await socket.emitWithAck("echo", { bytes: Buffer.from([1]) })).toEqual({ bytes: Buffer.from([1]) });
    expect(socket.io.engine.transport.name).toBe("webtransport");
  });
});
