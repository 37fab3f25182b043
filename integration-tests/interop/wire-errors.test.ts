import { connect } from "node:net";
import { once } from "node:events";
import { expect, it } from "vitest";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropServerOptions } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";
import { endpoint, openRawPolling, openRawWebSocket, rawWebSocket } from "../support/raw-session.js";
import { refusedUpgrade } from "../support/refused-upgrade.js";

interface Refusal {
  readonly query: string;
  readonly method?: string;
  readonly code: number;
  readonly message: string;
  readonly context: object;
}

const unknownTransport = (transport: string): Refusal => ({
  query: `EIO=4&transport=${transport}`,
  code: 0,
  message: "Transport unknown",
  context: { transport },
});
const badMethod = (method: string): Refusal => ({
  query: "EIO=4&transport=polling",
  method,
  code: 2,
  message: "Bad handshake method",
  context: { method },
});

const refusals: Refusal[] = [
  { ...unknownTransport("none"), query: "EIO=4", context: {} },
  unknownTransport("constructor"),
  unknownTransport("__proto__"),
  unknownTransport("webtransport"),
  { query: "EIO=4&transport=polling&sid=abc", code: 1, message: "Session ID unknown", context: { sid: "abc" } },
  {
    query: "EIO=4&transport=polling&sid=__proto__",
    code: 1,
    message: "Session ID unknown",
    context: { sid: "__proto__" },
  },
  badMethod("POST"),
  badMethod("PUT"),
  badMethod("DELETE"),
  {
    query: "EIO=4&transport=websocket",
    code: 3,
    message: "Bad request",
    context: { name: "TRANSPORT_HANDSHAKE_ERROR" },
  },
  { query: "EIO=3&transport=polling", code: 5, message: "Unsupported protocol version", context: { protocol: 3 } },
  { query: "transport=polling", code: 5, message: "Unsupported protocol version", context: { protocol: 3 } },
];

interopSuite("refused requests on the wire", ({ startServer }) => {
  it.each(refusals)(
    "answers $method $query with code $code",
    async ({ query, method = "GET", code, message, context }) => {
      const server = await startServer();
      const event = nextEvent<[{ req: object; code: number; message: string; context: object }]>(
        server.io.engine,
        "connection_error",
      );

      const response = await fetch(`${endpoint(server)}?${query}`, { method });

      expect(response.status).toBe(400);
      expect(await response.text()).toBe(JSON.stringify({ code, message }));
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.get("cache-control")).toBeNull();
      const [refused] = await event;
      expect(refused).toMatchObject({ code, message, context });
      expect(refused.req).toHaveProperty("url");
      expect(server.io.engine.clientsCount).toBe(0);
    },
  );

  const forbidden: { options: InteropServerOptions; body: object }[] = [
    { options: { allowRequest: (_req, answer) => answer("no entry", false) }, body: { code: 4, message: "no entry" } },
    { options: { allowRequest: (_req, answer) => answer(null, false) }, body: { code: 4, message: "Forbidden" } },
  ];
  it.each(forbidden)("answers 403 with $body when allowRequest says no", async ({ options, body }) => {
    const server = await startServer(options);

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);

    expect(response.status).toBe(403);
    expect(await response.text()).toBe(JSON.stringify(body));
  });

  it("refuses a session whose id could not be made", async () => {
    const server = await startServer();
    server.io.engine.generateId = () => Promise.reject(new Error("no entropy")) as unknown as string;
    const event = nextEvent<[{ context: object }]>(server.io.engine, "connection_error");

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
    expect((await event)[0].context).toMatchObject({ name: "ID_GENERATION_ERROR" });
  });

  it("refuses a request for a transport that the session does not use, and keeps the session", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const event = nextEvent<[{ context: object }]>(server.io.engine, "connection_error");

    const response = await fetch(peer.url({ transport: "websocket" }));

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
    expect((await event)[0].context).toMatchObject({
      name: "TRANSPORT_MISMATCH",
      transport: "websocket",
      previousTransport: "polling",
    });
    session.send("a");
    expect((await peer.poll()).body).toBe("4a");
  });

  it("refuses polling requests of a websocket session, and keeps the session", async () => {
    const server = await startServer();
    const { peer, handshake, session } = await openRawWebSocket(server);
    const { sid } = JSON.parse(handshake.slice(1)) as { sid: string };

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling&sid=${sid}`);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
    session.send("a");
    expect(await peer.next()).toBe("4a");
  });

  it("refuses requests that speak another protocol than their session, and keeps the session", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);

    const poll = await fetch(peer.url({ EIO: "3" }));
    const upgrade = await refusedUpgrade(peer.url({ EIO: "3", transport: "websocket" }));

    expect(poll.status).toBe(400);
    expect(await poll.json()).toEqual({ code: 3, message: "Bad request" });
    expect(upgrade.status).toBe(400);
    session.send("a");
    expect((await peer.poll()).body).toBe("4a");
  });

  it.each(["PUT", "DELETE"])("answers 500 to %s on a session, and keeps it", async (method) => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);

    const response = await fetch(peer.url(), { method });

    expect(response.status).toBe(500);
    expect(await response.text()).toBe("");
    session.send("a");
    expect((await peer.poll()).body).toBe("4a");
  });
});

interopSuite("refused upgrades on the wire", ({ startServer }) => {
  it("opens no session for a websocket whose session id could not be made", async () => {
    const server = await startServer();
    server.io.engine.generateId = () => Promise.reject(new Error("no entropy")) as unknown as string;
    const event = nextEvent<[{ code: number; context: object }]>(server.io.engine, "connection_error");
    const peer = rawWebSocket(`${endpoint(server)}?EIO=4&transport=websocket`);

    await peer.closed;

    expect((await event)[0]).toMatchObject({ code: 3, context: { name: "ID_GENERATION_ERROR" } });
    expect(peer.frames.size).toBe(0);
    expect(server.io.engine.clientsCount).toBe(0);
  });

  it.each([
    { query: "", message: "Transport unknown" },
    { query: "?EIO=4", message: "Transport unknown" },
    { query: "?EIO=4&transport=constructor", message: "Transport unknown" },
    { query: "?EIO=4&transport=__proto__", message: "Transport unknown" },
    { query: "?EIO=4&transport=websocket&sid=abc", message: "Session ID unknown" },
    { query: "?EIO=4&transport=websocket&sid=__proto__", message: "Session ID unknown" },
  ])("answers 400 and $message to $query", async ({ query, message }) => {
    const server = await startServer();

    const refused = await refusedUpgrade(endpoint(server) + query);

    expect(refused.status).toBe(400);
    expect(refused.body).toBe(message);
    expect(refused.headers["connection"]).toBe("close");
    expect(refused.headers["content-type"]).toBe("text/html");
    expect(refused.headers["content-length"]).toBe(String(message.length));
  });

  it("answers 400 with the words of allowRequest", async () => {
    const server = await startServer({ allowRequest: (_req, answer) => answer("zutritt verböten", false) });

    const refused = await refusedUpgrade(`${endpoint(server)}?EIO=4&transport=websocket`);

    expect(refused.status).toBe(400);
    expect(refused.body).toBe("zutritt verböten");
  });

  it("answers 400 to an upgrade without a key", async () => {
    const server = await startServer();

    const refused = await refusedUpgrade(`${endpoint(server)}?EIO=4&transport=websocket`, { "sec-websocket-key": "" });

    expect(refused.status).toBe(400);
    expect(refused.body).toBe("Missing or invalid Sec-WebSocket-Key header");
  });

  it("opens no session for a websocket of an unsupported protocol", async () => {
    const server = await startServer();
    const peer = rawWebSocket(`${endpoint(server)}?EIO=3&transport=websocket`);

    await peer.closed;

    expect(peer.frames.size).toBe(0);
    expect(server.io.engine.clientsCount).toBe(0);
  });

  it("opens no session for a websocket that asks for polling", async () => {
    const server = await startServer();
    const peer = rawWebSocket(`${endpoint(server)}?EIO=4&transport=polling`);

    await peer.closed;

    expect(peer.frames.size).toBe(0);
    expect(server.io.engine.clientsCount).toBe(0);
  });

  it("survives a connection that is reset when it is about to be refused", async () => {
    let reset: () => void = () => undefined;
    const refused = new Promise<void>((resolve) => {
      reset = resolve;
    });
    const server = await startServer({
      allowRequest: (req, answer) => {
        if (req.headers.upgrade === undefined) return answer(null, true);
        socket.resetAndDestroy();
        answer("no", false);
        reset();
      },
    });
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await refused;

    const { peer } = await openRawPolling(server);
    expect(peer.sid).toMatch(/^[\w-]{20}$/);
  });
});
