import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import type { EngineSession } from "../../support/raw-session.js";
import type { ListeningServer } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite, singleTransports } from "../support/client-suite.js";
import { recorded, recordedNames } from "../support/observe.js";
import type { TransportUnderTest } from "../support/published-packages.js";

type Failure = Error & { type: string; description: unknown; context: unknown };

/** How many bytes each POST from now on has, and the first `count` messages of them. */
function postsAt({ io, webServer }: ListeningServer, count: number): { sizes: number[]; messages: Promise<unknown[]> } {
  const sizes: number[] = [];
  webServer.on("request", (request: IncomingMessage) => {
    if (request.method !== "POST") return;
    sizes.push(Number(request.headers["content-length"]));
  });
  const messages = new Promise<unknown[]>((resolve) => {
    io.engine.on("connection", (connection: EngineSession) => {
      const seen: unknown[] = [];
      connection.on("message", (data: unknown) => seen.push(data) === count && resolve(seen));
    });
  });
  return { sizes, messages };
}

clientSuite("writing to an engine", ({ client, startEngineServer, openEngine }) => {
  it.each(["NodeXHR", "Fetch"] as const)(
    "63: tells how the server refused a message that is too large: %s",
    async (name) => {
      const server = await startEngineServer({ maxHttpBufferSize: 5 });
      const engine = openEngine(server.url, { transports: [client.transports[name]] });
      await nextEvent(engine, "open");
      const closed = nextEvent<[string, Failure]>(engine, "close");
      let context = {};
      engine.on("error", (failure) => {
        // Read at once: the published client empties the request a moment later.
        const { readyState, responseText } = (failure as Failure).context as Record<string, unknown>;
        context = { readyState, responseText };
      });

      engine.send("x".repeat(100));
      const [error] = await nextEvent<[Failure]>(engine, "error");

      expect(error).toBeInstanceOf(Error);
      expect([error.type, error.description]).toEqual(["TransportError", 413]);
      if (name === "NodeXHR") {
        expect(error.message).toBe("xhr post error");
        expect(context).toEqual({ readyState: 4, responseText: "" });
      } else {
        expect(error.message).toBe("fetch write error");
        expect(error.context).toBeInstanceOf(Response);
      }
      expect(await closed).toEqual(["transport error", error]);
    },
  );

  it("64: tells with which code the server ended a websocket over a message that is too large", async () => {
    const server = await startEngineServer({ maxHttpBufferSize: 5 });
    const engine = openEngine(server.url);
    await nextEvent(engine, "open");
    const errors = recorded(engine, "error");

    engine.send("x".repeat(100));
    const [reason, details] = await nextEvent<
      [string, { description: string; context: { code: number; reason: string } }]
    >(engine, "close");

    expect(reason).toBe("transport close");
    expect(details.description).toBe("websocket connection closed");
    expect([details.context.code, details.context.reason]).toEqual([1009, ""]);
    expect(errors).toEqual([]);
  });

  it.each(["NodeXHR", "Fetch"] as const)(
    "68: exchanges characters outside of the basic plane over %s",
    async (name) => {
      const server = await startEngineServer();
      server.io.engine.on("connection", (connection: EngineSession) => {
        connection.on("message", (data: string) => connection.send(data));
      });
      const engine = openEngine(server.url, { transports: [client.transports[name]] });
      const texts = [
        "\uD800-\uDB7F\uDB80-\uDBFF\uDC00-\uDFFF\uE000-\uF8FF".replaceAll(/[\uD800-\uDFFF]/g, ""),
        "\u{10FFFF}",
        "😀".repeat(9),
      ];
      const received: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        engine.on("message", (text: unknown) => received.push(text) === texts.length && resolve());
      });

      await nextEvent(engine, "open");
      for (const text of texts) engine.send(text);
      await all;

      expect(received).toEqual(texts);
    },
  );

  it("69: makes no packet of what is sent after it was closed", async () => {
    const server = await startEngineServer();
    const engine = openEngine(server.url);
    await nextEvent(engine, "open");
    const packets = recorded(engine, "packetCreate");

    engine.close();
    engine.send("late");

    expect(packets).toEqual([]);
  });

  it("69: makes no packet of what is sent while it waits for its upgrade to close", async () => {
    const server = await startEngineServer();
    const engine = openEngine(server.url, { travel: "upgrade" });
    const packets = recorded<[{ type: string; data: unknown }]>(engine, "packetCreate");
    engine.on("upgrading", () => {
      engine.send("in time");
      engine.close();
      engine.send("late");
    });

    await nextEvent(engine, "close");

    expect(packets.filter(([{ type }]) => type === "message").map(([{ data }]) => data)).toEqual(["in time"]);
  });

  it("70: fills the requests of a polling transport up to what the server takes, counting bytes", async () => {
    const server = await startEngineServer({ maxHttpBufferSize: 100 });
    const texts = [99, 30, 30, 35].map((length, index) => String(index).repeat(length));
    texts.push("€".repeat(33), "x".repeat(99), "€".repeat(20), "y".repeat(40));
    const { sizes, messages } = postsAt(server, texts.length);
    const engine = openEngine(server.url, { travel: "polling" });
    await nextEvent(engine, "open");

    for (const text of texts) engine.send(text);

    expect(await messages).toEqual(texts);
    expect(sizes).toEqual([100, 100, 100, 100, 61, 41]);
  });

  it("70: counts what bytes of every kind become in a request", async () => {
    const server = await startEngineServer({ maxHttpBufferSize: 100 });
    const values = [
      Buffer.alloc(72, 1),
      new Uint8Array(20).fill(2),
      "3".repeat(20),
      new Uint8Array(20).fill(4).buffer,
      new Uint16Array(36).fill(0x0505),
      Buffer.alloc(40, 6),
      Buffer.alloc(40, 7),
    ];
    const { sizes, messages } = postsAt(server, values.length);
    const engine = openEngine(server.url, { travel: "polling" });
    await nextEvent(engine, "open");

    for (const value of values) engine.send(value as string);

    expect(await messages).toEqual([
      Buffer.alloc(72, 1),
      Buffer.alloc(20, 2),
      "3".repeat(20),
      Buffer.alloc(20, 4),
      Buffer.alloc(72, 5),
      Buffer.alloc(40, 6),
      Buffer.alloc(40, 7),
    ]);
    expect(sizes).toEqual([97, 81, 97, 57, 57]);
  });

  it("70: sends a message that is too large on its own all the same", async () => {
    const server = await startEngineServer({ maxHttpBufferSize: 100 });
    const engine = openEngine(server.url, { travel: "polling" });
    await nextEvent(engine, "open");
    const failed = nextEvent<[Failure]>(engine, "error");

    engine.send("x".repeat(101));

    expect((await failed)[0].description).toBe(413);
  });

  it("71: waits for its upgrade before it closes, and sends what it holds", async () => {
    const server = await startEngineServer();
    const received = new Promise((resolve) => {
      server.io.engine.on("connection", (connection: EngineSession) => connection.on("message", resolve));
    });
    const engine = openEngine(server.url, { travel: "upgrade" });
    const events = recordedNames(engine, "upgrading", "upgrade", "close");
    const atClose = new Promise((resolve) => {
      engine.on("close", (reason) => resolve([reason, engine.writeBuffer.length]));
    });
    const states: unknown[] = [];

    engine.once("upgrading", () => {
      engine.send("held back");
      engine.close();
      states.push(engine.readyState);
    });

    expect(await atClose).toEqual(["forced close", 0]);
    expect(states).toEqual(["closing"]);
    expect(await received).toBe("held back");
    expect(events).toEqual(["upgrading", "upgrade", "close"]);
  });

  it("71: waits for its upgrade before it closes, though it holds nothing", async () => {
    const server = await startEngineServer();
    const engine = openEngine(server.url, { travel: "upgrade" });
    const events = recordedNames(engine, "upgrading", "upgrade", "upgradeError", "close");

    engine.once("upgrading", () => engine.close());
    await nextEvent(engine, "close");

    expect(events).toEqual(["upgrading", "upgrade", "close"]);
  });

  it.each(["current", "new"])("71: closes when its upgrade fails meanwhile with the %s transport", async (which) => {
    const server = await startEngineServer();
    const engine = openEngine(server.url, { travel: "upgrade" });
    const events = recordedNames(engine, "upgrading", "upgrade", "upgradeError", "close");

    engine.once("upgrading", (transport: unknown) => {
      engine.close();
      const failing = which === "new" ? transport : engine.transport;
      (failing as TransportUnderTest).onError("broken");
    });
    await nextEvent(engine, "close");

    expect(events.toSorted()).toEqual(["close", "upgradeError", "upgrading"]);
    expect(engine.readyState).toBe("closed");
  });

  it.each(singleTransports)("71: sends what it holds before it closes, over %s", async (travel) => {
    const server = await startEngineServer();
    const seen: unknown[] = [];
    const gone = new Promise((resolve) => {
      server.io.engine.on("connection", (connection: EngineSession) => {
        connection.on("message", (data: unknown) => seen.push(data));
        connection.on("close", resolve);
      });
    });
    const engine = openEngine(server.url, { travel });
    await nextEvent(engine, "open");

    for (const text of ["a", "b", "c"]) engine.send(text);
    engine.close();
    await gone;

    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("77: compresses with perMessageDeflate what is as long as its threshold", async () => {
    const server = await startEngineServer({ perMessageDeflate: { threshold: 0 } });
    const compressed = async (options: object, text: string, compress = true): Promise<unknown> => {
      const engine = openEngine(server.url, { ...options });
      await nextEvent(engine, "open");
      const { ws } = engine.transport as unknown as { ws: { send(data: string, options: object): void } };
      const sent = new Promise((resolve) => {
        ws.send = (_data, options) => resolve(options);
      });
      engine.send(text, { compress });
      return sent;
    };

    expect(await compressed({ perMessageDeflate: { threshold: 0 } }, "hi")).toEqual({ compress: true });
    expect(await compressed({ perMessageDeflate: { threshold: 0 } }, "hi", false)).toEqual({ compress: false });
    expect(await compressed({}, "hi")).toEqual({ compress: false });
    expect(await compressed({}, "x".repeat(2000))).toEqual({ compress: true });
    // Bytes count, not characters.
    expect(await compressed({}, "€".repeat(400))).toEqual({ compress: true });
  });

  it.each(["websocket", "upgrade"] as const)(
    "84: exchanges bytes as text when it is told to, over %s",
    async (travel) => {
      const server = await startEngineServer();
      const flags: unknown[] = [];
      server.io.engine.on("connection", (connection: EngineSession) => {
        flags.push((Reflect.get(connection.request, "_query") as { b64: unknown }).b64);
        connection.on("message", (data: Buffer) => connection.send(data));
      });
      const engine = openEngine(server.url, { travel, forceBase64: true });
      engine.binaryType = "arraybuffer";
      await nextEvent(engine, travel === "upgrade" ? "upgrade" : "open");
      const received = nextEvent(engine, "message");

      engine.send(Uint8Array.of(0, 1, 254, 255).buffer as unknown as string);

      expect((await received)[0]).toStrictEqual(Uint8Array.of(0, 1, 254, 255).buffer);
      expect(flags).toEqual(["1"]);
    },
  );
});
