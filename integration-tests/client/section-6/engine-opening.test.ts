import { expect, it, onTestFinished, vi } from "vitest";
import { nextEvent } from "../../support/next-event.js";
import type { Engine } from "../support/clients.js";
import { clientOnlySuite, clientSuite, singleTransports, travels } from "../support/client-suite.js";
import { stopTimers } from "../../support/fake-clock.js";
import { impatient, recorded, recordedNames } from "../support/observe.js";
import { refusingUrl } from "../support/unreachable.js";

type Failure = Error & { type: string; description: unknown; context: unknown };

clientOnlySuite("opening an engine", ({ client, openEngine }) => {
  it.each([[[] as string[]], [["polling"]], [["websocket", "polling"]]])(
    "59: leaves the caller's list of transports alone: %j",
    async (transports) => {
      const url = new URL(await refusingUrl());
      const given = [...transports];
      const engines = [
        openEngine(url.href, { transports }),
        new client.Engine({ hostname: url.hostname, port: url.port, transports } as object),
        openEngine(url.href, { transports, tryAllTransports: true }),
      ];

      await Promise.all(engines.map((engine) => nextEvent(engine, "error")));

      expect(transports).toEqual(given);
    },
  );

  it("60: says with the next timer, as a text, that there are no transports", () => {
    stopTimers();
    const engine = openEngine("http://localhost", { transports: [] });
    const events = [recorded(engine, "error"), recorded(engine, "close")];
    expect(events).toEqual([[], []]);

    vi.advanceTimersByTime(1);

    expect(events).toEqual([[["No transports available"]], []]);
  });

  it.each(["xhr poll error", "fetch read error", "websocket error"])(
    "61: tries nothing else without tryAllTransports: '%s'",
    async (message) => {
      const { Fetch, NodeWebSocket, NodeXHR } = client.transports;
      const polling = message.startsWith("fetch") ? Fetch : NodeXHR;
      const transports = message.startsWith("websocket") ? [NodeWebSocket, polling] : [polling, NodeWebSocket];
      const engine = openEngine(await refusingUrl(), { transports });

      const [error] = await nextEvent<[Failure]>(engine, "error");

      expect([error.message, error.type]).toEqual([message, "TransportError"]);
      expect(engine.readyState).toBe("closed");
    },
  );
});

clientSuite("transports of an engine", ({ client, startEngineServer, startServer, openEngine, open }) => {
  it("61: goes on to polling when websocket is refused, with tryAllTransports", async () => {
    const server = await startEngineServer({ transports: ["polling"] });
    const engine = openEngine(server.url, { transports: ["websocket", "polling"], tryAllTransports: true });
    const errors = recorded(engine, "error");

    await nextEvent(engine, "open");

    expect(engine.transport.name).toBe("polling");
    expect(errors).toEqual([]);
  });

  it.each(["NodeXHR", "Fetch"] as const)(
    "61: goes on to websocket when %s is refused, with tryAllTransports",
    async (name) => {
      const { NodeWebSocket, [name]: Polling } = client.transports;
      const server = await startEngineServer({ transports: ["websocket"] });
      const engine = openEngine(server.url, { transports: [Polling, NodeWebSocket], tryAllTransports: true });
      const errors = recorded(engine, "error");

      await nextEvent(engine, "open");

      expect(engine.transport.name).toBe("websocket");
      expect(errors).toEqual([]);
    },
  );

  it("61: fails with the error of its last transport when none can be had", async () => {
    const engine = openEngine(await refusingUrl(), { transports: ["polling", "websocket"], tryAllTransports: true });
    const names = recordedNames(engine, "error", "close");

    const [error] = await nextEvent<[Failure]>(engine, "error");

    expect(error.message).toBe("websocket error");
    expect(names).toEqual(["error", "close"]);
  });

  it.each(["NodeXHR", "Fetch", "NodeWebSocket"] as const)("62: takes the class %s for a transport", async (name) => {
    const server = await startServer();
    const sockets = ["transports", "transportImplementations"].map((option) =>
      client.io(server.url, { forceNew: true, [option]: [client.transports[name]] }),
    );
    onTestFinished(() => {
      for (const socket of sockets) socket.disconnect();
    });

    for (const socket of sockets) {
      await nextEvent(socket, "connect");
      expect(socket.io.engine.transport).toBeInstanceOf(client.transports[name]);
    }
  });

  it("62: upgrades from one class of transport to another", async () => {
    const server = await startServer();
    const { Fetch, NodeWebSocket } = client.transports;
    const socket = open(server.url, { transports: [Fetch, NodeWebSocket] });
    const { engine } = socket.io;

    await nextEvent(engine, "upgrade");

    expect(engine.transport).toBeInstanceOf(NodeWebSocket);
  });

  it.each(travels)("67: hears in 'open' of what the server says at once, over %s", async (travel) => {
    const server = await startEngineServer();
    server.io.engine.on("connection", (connection: { send(data: string): void }) => connection.send("welcome"));
    const engine = openEngine(server.url, { travel });

    const received = await new Promise((resolve) => {
      engine.on("open", () => engine.on("message", resolve));
    });

    expect(received).toBe("welcome");
  });

  it("67: opens with these events, in this order", async () => {
    const server = await startEngineServer();
    const engine = openEngine(server.url);
    const events: unknown[] = [];
    for (const event of ["packet", "heartbeat", "handshake", "open"]) {
      engine.on(event as "open", () => events.push([event, engine.id !== undefined, engine.readyState]));
    }

    await nextEvent(engine, "open");

    expect(events).toEqual([
      ["packet", false, "opening"],
      ["heartbeat", false, "opening"],
      ["handshake", false, "opening"],
      ["open", true, "open"],
    ]);
  });

  it("73: begins with websocket when the last upgrade to it went well, if it is asked to remember", async () => {
    const server = await startEngineServer();
    const engine = openEngine(server.url, { travel: "upgrade" });
    await nextEvent(engine, "upgrade");
    const again = (rememberUpgrade: boolean): Engine => openEngine(server.url, { travel: "upgrade", rememberUpgrade });

    const remembering = again(true);
    expect(remembering.transport.name).toBe("websocket");
    await nextEvent(remembering, "open");

    const forgetful = again(false);
    expect(forgetful.transport.name).toBe("polling");
    await nextEvent(forgetful, "upgrade");
  });

  it("73: begins with its first transport again when websocket has failed", async () => {
    const server = await startEngineServer();
    const first = openEngine(server.url, { travel: "upgrade" });
    await nextEvent(first, "upgrade");
    const failing = openEngine(await refusingUrl(), { travel: "upgrade", rememberUpgrade: true });
    await nextEvent(failing, "error");

    expect(openEngine(server.url, { travel: "upgrade", rememberUpgrade: true }).transport.name).toBe("polling");
  });

  it.each(singleTransports)(
    "65: shows what the server says about a session it does not know, over %s",
    async (travel) => {
      const server = await startEngineServer();
      const engine = openEngine(server.url, { travel, query: { sid: "unknown" } });
      const closed = nextEvent<[string, Failure]>(engine, "close");
      let answer = "";
      engine.on("error", (failure) => {
        // Read at once: the published client empties the request a moment later.
        answer = ((failure as Failure).context as { responseText: string } | undefined)?.responseText ?? "";
      });

      const [error] = await nextEvent<[Failure]>(engine, "error");

      expect(error).toBeInstanceOf(Error);
      expect(error.type).toBe("TransportError");
      if (travel === "polling") {
        expect([error.message, error.description]).toEqual(["xhr poll error", 400]);
        expect(JSON.parse(answer)).toEqual({ code: 1, message: "Session ID unknown" });
      } else {
        expect(error.message).toBe("websocket error");
        expect((error.description as { type: string }).type).toBe("error");
        expect(error.context).toBeUndefined();
      }
      expect(await closed).toEqual(["transport error", error]);
    },
  );

  it("65: says with status 0 that a connection was refused", async () => {
    const engine = openEngine(await refusingUrl(), { travel: "polling" });

    const [error] = await nextEvent<[Failure]>(engine, "error");

    expect([error.message, error.description]).toEqual(["xhr poll error", 0]);
    expect(String((error.context as { statusText: unknown }).statusText)).toContain("ECONNREFUSED");
  });

  it("66: knows of no overdue heartbeat before it is open, and closes once over one", async () => {
    const server = await startServer();
    const socket = open(server.url, { ...impatient, reconnection: false });
    const { engine } = socket.io;
    const hasPingExpired = (): boolean => (engine as unknown as { _hasPingExpired(): boolean })._hasPingExpired();
    expect(hasPingExpired()).toBe(false);
    await nextEvent(socket, "connect");
    expect(hasPingExpired()).toBe(false);
    const closes = recorded(engine, "close");
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });

    vi.setSystemTime(Date.now() + 86_400_000);
    expect([hasPingExpired(), hasPingExpired()]).toEqual([true, true]);
    expect(closes).toEqual([]);
    await nextEvent(socket, "disconnect");

    expect(closes.map(([reason]) => reason)).toEqual(["ping timeout"]);
  });
});
