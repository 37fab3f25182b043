// Defects of the published client, by their numbers: what it does is shown, and that ours does better.
import { createWebTransportPair } from "@plugboard/testkit";
import type { IncomingMessage } from "node:http";
import { expect, it, onTestFinished, vi } from "vitest";
import { nextEvent } from "../../support/next-event.js";
import type { EngineSession } from "../../support/raw-session.js";
import { clientOnlySuite, clientSuite } from "../support/client-suite.js";
import { impatient, turns } from "../support/observe.js";
import {
  freshPublishedEngine,
  type TransportConstructor,
  type TransportUnderTest,
} from "../support/published-packages.js";

function stubGlobal(name: string, value: unknown): void {
  vi.stubGlobal(name, value);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
}

clientSuite("defects of cookies", ({ client, startServer, open }) => {
  it("7.7: leaves the headers of the caller as they are (reference: adds cookies at each connection)", async () => {
    const server = await startServer();
    server.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
      headers["set-cookie"] = ["jar=1"];
    });
    const extraHeaders: Record<string, unknown> = { cookie: "own=1" };
    const socket = open(server.url, {
      ...impatient,
      travel: "upgrade",
      withCredentials: true,
      extraHeaders: extraHeaders as Record<string, string>,
    });
    for (let connection = 0; connection < 2; connection++) {
      await nextEvent(socket.io.engine, "upgrade");
      if (connection === 0) {
        socket.io.engine.close();
        await nextEvent(socket.io, "reconnect");
      }
    }

    expect(extraHeaders).toEqual({ cookie: client.ours ? "own=1" : ["own=1", "jar=1", "jar=1"] });
  });

  it("7.7: sends cookies of its own along, however the header is written (reference: drops them)", async () => {
    const server = await startServer();
    server.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
      headers["set-cookie"] = ["jar=1"];
    });
    const upgraded = new Promise<IncomingMessage>((resolve) => server.webServer.once("upgrade", resolve));

    open(server.url, { travel: "upgrade", withCredentials: true, extraHeaders: { Cookie: "own=1" } });

    expect((await upgraded).headers.cookie).toBe(client.ours ? "own=1; jar=1" : "jar=1");
  });
});

clientOnlySuite("defects of built-in classes", ({ client, openEngine, startEngineServer }) => {
  it("7.13: has no trouble with autoUnref and the built-in WebSocket (reference: throws)", () => {
    class BuiltInWebSocket {
      onopen: (() => void) | null = null;
      close(): void {}
      constructor() {
        created.push(this);
      }
    }
    const created: BuiltInWebSocket[] = [];
    stubGlobal("WebSocket", BuiltInWebSocket);
    // The published client looks for that class while it loads.
    const { Socket: Engine, WebSocket } = client.ours
      ? { ...client.transports, Socket: client.Engine }
      : freshPublishedEngine();
    const engine = new Engine("http://localhost", { transports: [WebSocket as never], autoUnref: true });
    onTestFinished(() => {
      engine.close();
    });
    const open = (): void => created[0]?.onopen?.();

    expect(created).toHaveLength(1);
    if (client.ours) expect(open).not.toThrow();
    else expect(open).toThrow(TypeError);
  });

  it("7.14: closes the transport of a probe that was answered wrongly (reference: keeps it)", async () => {
    const server = await startEngineServer();
    const probes: TransportUnderTest[] = [];
    class MisheardWebSocket extends client.transports.NodeWebSocket {
      constructor(options: object) {
        super(options);
        probes.push(this);
      }
      override onPacket(packet: { type: string; data?: unknown }): void {
        super.onPacket(packet.type === "pong" ? { type: "pong", data: "wrong" } : packet);
      }
    }
    const engine = openEngine(server.url, {
      transports: [client.transports.NodeXHR, MisheardWebSocket as unknown as TransportConstructor],
    });

    const [error] = await nextEvent<[Error & { transport: string }]>(engine, "upgradeError");

    expect([error.message, error.transport]).toEqual(["probe error", "websocket"]);
    expect(engine.readyState).toBe("open");
    expect(probes.map((probe) => Reflect.get(probe, "readyState"))).toEqual([client.ours ? "closed" : "open"]);
  });

  if (client.ours) {
    it("7.14: hears that a WebTransport could not be made ready (reference: leaves the failure unhandled)", async () => {
      stubGlobal(
        "WebTransport",
        class {
          constructor() {
            return createWebTransportPair(Promise.reject(new Error("no way there"))).client;
          }
        },
      );
      const engine = openEngine("http://localhost", { transports: ["webtransport"] });

      const [error] = await nextEvent<[Error & { description: unknown }]>(engine, "error");

      expect([error.message, error.description]).toEqual(["webtransport error", new Error("no way there")]);
    });
  }
});

clientSuite("defects of polling", ({ client, startEngineServer, openEngine }) => {
  it("7.18: never sends more than the server takes when it could be split (reference: a little more)", async () => {
    const server = await startEngineServer({ maxHttpBufferSize: 100 });
    const count = 20;
    const received = new Promise((resolve) => {
      server.io.engine.on("connection", (session: EngineSession) => {
        let seen = 0;
        session.on("message", () => ++seen === count && resolve("all of it"));
      });
    });
    const engine = openEngine(server.url, { travel: "polling" });
    await nextEvent(engine, "open");
    const failed = nextEvent<[{ description: unknown }]>(engine, "error").then(
      ([{ description }]) => description,
      () => "no error",
    );

    // The first leaves alone, the others wait for it.
    for (let index = 0; index < count; index++) engine.send(Buffer.from([index]) as unknown as string);

    expect(await Promise.race([received, failed])).toBe(client.ours ? "all of it" : 413);
  });
});

clientOnlySuite("defects of Fetch", ({ client, openEngine }) => {
  it.each([
    { withCredentials: false, ours: "same-origin", theirs: "omit" },
    { withCredentials: true, ours: "include", theirs: "include" },
  ])("7.19: asks for credentials, $ours (reference: $theirs)", async ({ withCredentials, ours, theirs }) => {
    const asked: unknown[] = [];
    stubGlobal("fetch", async (_url: string, options: RequestInit) => {
      asked.push(options.credentials);
      throw new Error("enough");
    });
    const engine = openEngine("http://localhost", { transports: [client.transports.Fetch], withCredentials });

    await nextEvent(engine, "error");

    expect(asked).toEqual([client.ours ? ours : theirs]);
  });

  if (client.ours) {
    it("7.19: hears that an answer broke off (reference: leaves the failure unhandled)", async () => {
      const broken = new Error("broken off");
      stubGlobal("fetch", async () => ({
        ok: true,
        headers: new Headers(),
        text: () => Promise.reject(broken),
      }));
      const engine = openEngine("http://localhost", { transports: [client.transports.Fetch] });

      const [error] = await nextEvent<[Error & { description: unknown }]>(engine, "error");
      await turns();

      expect([error.message, error.description]).toEqual(["fetch read error", broken]);
    });
  }
});
