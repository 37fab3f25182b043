import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { expect, it } from "vitest";
import { listen } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import type { EngineSession } from "../../support/raw-session.js";
import { selfSignedCertificate } from "../../support/self-signed-certificate.js";
import { clientSuite, singleTransports, travels } from "../support/client-suite.js";
import { impatient } from "../support/observe.js";

clientSuite("TLS", ({ startServer, open, connect }) => {
  it.each(travels)("trusts an authority it is told of, over %s", async (travel) => {
    const server = await startServer({}, { webServer: createTlsServer(selfSignedCertificate) });

    const socket = await connect(server.url, { travel, ca: selfSignedCertificate.cert });

    expect(socket.connected).toBe(true);
  });

  it.each(singleTransports)("refuses a certificate that nobody vouches for, over %s", async (travel) => {
    const server = await startServer({}, { webServer: createTlsServer(selfSignedCertificate) });
    const socket = open(server.url, { travel, reconnection: false });

    const [error] = await nextEvent<[Error]>(socket, "connect_error");

    expect(error.message).toBe(travel === "polling" ? "xhr poll error" : "websocket error");
  });

  it.each(travels)("takes any certificate when it is told to, over %s", async (travel) => {
    const server = await startServer({}, { webServer: createTlsServer(selfSignedCertificate) });

    const socket = await connect(server.url, { travel, rejectUnauthorized: false });

    expect(socket.connected).toBe(true);
  });

  it.each(singleTransports)("shows a certificate of its own, over %s", async (travel) => {
    const { cert, key } = selfSignedCertificate;
    const webServer = createTlsServer({ cert, key, ca: cert, requestCert: true });
    const server = await startServer({}, { webServer });
    const accepted = nextEvent<[EngineSession]>(server.io.engine, "connection");

    await connect(server.url, { travel, ca: cert, cert, key });

    const { request } = (await accepted)[0] as unknown as { request: IncomingMessage };
    expect((request.socket as TLSSocket).authorized).toBe(true);
  });
});

clientSuite("connections", ({ server: implementation, client, startServer, open, connect, connectPair }) => {
  it.each(travels)("come back to a server that was started again, over %s", async (travel) => {
    const first = await startServer();
    const { socket } = await connectPair(first, { ...impatient, travel, reconnectionDelayMax: 20 });
    const gone = nextEvent<[string]>(socket, "disconnect");
    await first.io.close();
    expect((await gone)[0]).toMatch(/^transport (close|error)$/);
    socket.emit("while away", Buffer.from([1]));

    const second = await listen(implementation, {}, { port: first.port });
    const received = new Promise((resolve) => {
      second.io.on("connection", (peer) => peer.on("while away", resolve));
    });

    expect(await received).toEqual(Buffer.from([1]));
  });

  it.each(["NodeXHR", "Fetch", "NodeWebSocket"] as const)("carry extra headers with %s", async (name) => {
    const server = await startServer();
    const accepted = nextEvent<[{ handshake: { headers: object } }]>(server.io, "connection");

    open(server.url, {
      transports: [client.transports[name]],
      extraHeaders: { authorization: "Bearer 1", "x-a": "b" },
    });

    expect((await accepted)[0].handshake.headers).toMatchObject({ authorization: "Bearer 1", "x-a": "b" });
  });

  it.each(singleTransports)("are made by the agent of the options, over %s", async (travel) => {
    const server = await startServer();
    const agent = new HttpAgent({ keepAlive: false });
    const made: unknown[] = [];
    const createConnection = Reflect.get(agent, "createConnection") as (...args: unknown[]) => unknown;
    Reflect.set(agent, "createConnection", (...args: unknown[]) => {
      made.push("connection");
      return createConnection.apply(agent, args);
    });

    await connect(server.url, { travel, agent: agent as unknown as string });

    expect(made.length).toBeGreaterThan(0);
  });

  it.each([
    { what: "are not upgraded", upgrade: false },
    { what: "are upgraded", upgrade: true },
  ])("$what with the option upgrade: $upgrade", async ({ upgrade }) => {
    let made = 0;
    class Counted extends client.transports.NodeWebSocket {
      override doOpen(): void {
        made++;
        super.doOpen();
      }
    }
    const server = await startServer();

    const socket = await connect(server.url, { transports: [client.transports.NodeXHR, Counted], upgrade });

    // It would have been made as soon as the session was there, which was before the namespace was.
    expect(made).toBe(upgrade ? 1 : 0);
    if (!upgrade) expect(socket.io.engine.transport.name).toBe("polling");
  });

  it("begin with the first transport of the list", async () => {
    const server = await startServer();

    const socket = await connect(server.url, { transports: ["websocket", "polling"] });

    expect(socket.io.engine.transport.name).toBe("websocket");
  });

  it("offer the subprotocols of the options", async () => {
    const server = await startServer();
    const asked = nextEvent<[IncomingMessage]>(server.webServer, "upgrade");

    await connect(server.url, { protocols: ["one"] });

    expect((await asked)[0].headers["sec-websocket-protocol"]).toBe("one");
  });

  it("offer compression, unless that is off", async () => {
    const server = await startServer({ perMessageDeflate: true });
    const offered = async (options: object): Promise<unknown> => {
      const asked = nextEvent<[IncomingMessage]>(server.webServer, "upgrade");
      await connect(server.url, { ...options });
      return (await asked)[0].headers["sec-websocket-extensions"];
    };

    expect(await offered({})).toMatch(/^permessage-deflate/);
    expect(await offered({ perMessageDeflate: false })).toBeUndefined();
  });

  it("go to the path of the options, with and without a slash at its end", async () => {
    const server = await startServer({ path: "/chat", addTrailingSlash: false });
    const asked = nextEvent<[IncomingMessage]>(server.webServer, "upgrade");

    await connect(server.url, { path: "/chat", addTrailingSlash: false });

    expect((await asked)[0].url).toMatch(/^\/chat\?/);
  });

  it.each(singleTransports)("end with 'ping timeout' when the server falls silent, over %s", async (travel) => {
    const server = await startServer();
    const socket = open(server.url, { travel, reconnection: false });
    socket.io.engine.on("handshake", (handshake) => {
      // Other times than those the server keeps: to this client it is a server that forgets its heartbeat.
      Object.assign(handshake, { pingInterval: 20, pingTimeout: 20 });
    });

    const [reason] = await nextEvent(socket, "disconnect");

    expect(reason).toBe("ping timeout");
  });

  it.each(singleTransports)(
    "stand as long as the heartbeat goes on, which the manager tells of, over %s",
    async (travel) => {
      const server = await startServer({ pingInterval: 10, pingTimeout: 5000 });
      const socket = await connect(server.url, { travel });

      for (let ping = 0; ping < 3; ping++) await nextEvent(socket.io, "ping");

      expect(socket.connected).toBe(true);
    },
  );

  it.each([
    { travel: "websocket", details: { description: "websocket connection closed" } },
    { travel: "polling", details: { description: "transport closed by the server" } },
  ] as const)("tell what ended them, over $travel", async ({ travel, details }) => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, { travel, reconnection: false });
    const gone = nextEvent(socket, "disconnect");

    peer.conn.close();

    const [reason, description] = await gone;
    expect(reason).toBe("transport close");
    expect(description).toMatchObject(details);
    expect(socket.active).toBe(true);
  });

  if (client.ours) {
    it("give up a request that takes too long (unlike the reference in Node, which has no such limit)", async () => {
      const server = await startServer({ allowRequest: () => {} });
      const socket = open(server.url, { travel: "polling", requestTimeout: 30, reconnection: false });

      const [error] = await nextEvent<[Error]>(socket, "connect_error");

      expect(error.message).toBe("xhr poll error");
    });
  }
});
