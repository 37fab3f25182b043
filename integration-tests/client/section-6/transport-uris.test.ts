import { Agent } from "node:http";
import { expect, it } from "vitest";
import { nextEvent } from "../../support/next-event.js";
import { clientOnlySuite, clientSuite } from "../support/client-suite.js";
import type { TransportConstructor, TransportUnderTest } from "../support/published-packages.js";

const local = { hostname: "localhost", path: "/engine.io" };

clientOnlySuite("transports on their own", ({ client }) => {
  const { Fetch, NodeWebSocket, NodeXHR } = client.transports;

  it("74: poll without port where it is that of the scheme, and with the path and query as they are", () => {
    const uriOf = (Polling: TransportConstructor, options: object): string =>
      new Polling({ ...local, secure: false, query: {}, timestampRequests: false, ...options }).uri();
    for (const Polling of [NodeXHR, Fetch]) {
      expect(uriOf(Polling, {})).toBe("http://localhost/engine.io");
      expect(uriOf(Polling, { query: { sid: "test", a: "1&2" } })).toBe("http://localhost/engine.io?sid=test&a=1%262");
      for (const port of [80, "80"]) expect(uriOf(Polling, { port })).toBe("http://localhost/engine.io");
      for (const port of [443, "443"]) {
        expect(uriOf(Polling, { port, secure: true })).toBe("https://localhost/engine.io");
      }
      expect(uriOf(Polling, { port: 3000, path: "/x/" })).toBe("http://localhost:3000/x/");
      expect(uriOf(Polling, { hostname: "::1", port: 80 })).toBe("http://[::1]/engine.io");
      expect(uriOf(Polling, { hostname: "::1", port: 81 })).toBe("http://[::1]:81/engine.io");
    }
  });

  it("74: open a websocket in the same way, without a timestamp", () => {
    const uriOf = (options: object): string =>
      new NodeWebSocket({ ...local, secure: false, query: {}, ...options }).uri();

    expect(uriOf({ port: 80 })).toBe("ws://localhost/engine.io");
    expect(uriOf({ port: "443", secure: true })).toBe("wss://localhost/engine.io");
    expect(uriOf({ port: 80, secure: true, query: { a: "b" } })).toBe("wss://localhost:80/engine.io?a=b");
    expect(uriOf({ port: "80", hostname: "::1" })).toBe("ws://[::1]/engine.io");
    expect(uriOf({ port: 3000, query: undefined })).toBe("ws://localhost:3000/engine.io");
  });

  it("74: name the timestamp as they are told", () => {
    const options = { ...local, secure: false, timestampParam: "woot", timestampRequests: true };

    expect(new NodeXHR({ ...options, query: {} }).uri()).toMatch(/^http:\/\/localhost\/engine\.io\?woot=[\w-]{8}$/);
    expect(new NodeWebSocket({ ...options, query: {} }).uri()).toMatch(/^ws:\/\/localhost\/engine\.io\?woot=[\w-]{8}$/);
  });

  it("75: ask the agent of their options for a connection when they open", () => {
    for (const Transport of [NodeXHR, NodeWebSocket]) {
      const asked: unknown[] = [];
      const agent = Object.assign(new Agent(), { addRequest: () => asked.push(Transport) });
      const transport = new Transport({ ...local, secure: false, port: 1, query: {}, agent });
      transport.on("error", () => {});

      try {
        transport.doOpen();
      } catch {
        // The published websocket looks for its engine, once it has asked.
      }

      expect(asked).toEqual([Transport]);
    }
  });

  it("80: make timestamps of 8 characters that are never the same", () => {
    const transport: TransportUnderTest = new NodeXHR({
      ...local,
      secure: false,
      query: {},
      timestampParam: "t",
    });

    // Those of the published client are random: of many, two may be the same.
    const count = client.ours ? 1000 : 2;
    const stamps = Array.from({ length: count }, () => new URL(transport.uri()).searchParams.get("t"));

    expect(new Set(stamps).size).toBe(count);
    for (const stamp of stamps) expect(stamp).toHaveLength(8);
  });
});

clientSuite("headers", ({ startServer, open }) => {
  it.each(["polling", "websocket"] as const)("76: hands the very object of headers on to %s", async (travel) => {
    const server = await startServer();
    const extraHeaders = { "x-one": "1" };
    const socket = open(server.url, { travel, extraHeaders });

    expect(socket.io.engine.transport).toMatchObject({ opts: { extraHeaders } });
    expect(Reflect.get(socket.io.engine.transport, "opts").extraHeaders).toBe(extraHeaders);
    const [peer] = await nextEvent<[{ handshake: { headers: object } }]>(server.io, "connection");
    expect(peer.handshake.headers).toMatchObject({ "x-one": "1" });
  });

  it("76: prefers the headers for one transport alone", async () => {
    const server = await startServer();
    const socket = open(server.url, {
      travel: "polling",
      extraHeaders: { "x-one": "1", "x-two": "2" },
      transportOptions: { polling: { extraHeaders: { "x-one": "own" } } },
    });

    const [peer] = await nextEvent<[{ handshake: { headers: object } }]>(server.io, "connection");

    expect(peer.handshake.headers).toMatchObject({ "x-one": "own" });
    expect(peer.handshake.headers).not.toHaveProperty("x-two");
    expect(socket.io.opts.extraHeaders).toEqual({ "x-one": "1", "x-two": "2" });
  });
});
