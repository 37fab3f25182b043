import { createServer as createTlsServer } from "node:https";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { expect, it, vi } from "vitest";
import { connectClient, connectPair, openClient, singleTransports, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";
import { selfSignedCertificate } from "../support/self-signed-certificate.js";

interface TransportFailure extends Error {
  description: number;
}
interface RefusedConnection {
  code: number;
  message: string;
  context: object;
}

interopSuite("HTTP options", ({ startServer }) => {
  it.each(travels)("serves a TLS server over %s", async (travel) => {
    const server = await startServer({}, { webServer: createTlsServer(selfSignedCertificate) });
    const { client, socket } = await connectPair(server, { travel, ca: selfSignedCertificate.cert });
    socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));

    expect(socket.handshake.secure).toBe(true);
    expect(await client.emitWithAck("echo", Buffer.from([1]))).toEqual(Buffer.from([1]));
  });

  it.each(singleTransports)("asks a client for its certificate over %s", async (travel) => {
    const { cert, key } = selfSignedCertificate;
    const webServer = createTlsServer({ cert, key, ca: cert, requestCert: true, rejectUnauthorized: true });
    const server = await startServer({}, { webServer });

    const { socket } = await connectPair(server, { travel, ca: cert, cert, key });

    expect((socket.request.socket as TLSSocket).authorized).toBe(true);
    await nextEvent(openClient(server.url, { travel, ca: cert }), "connect_error");
  });

  it("lets a polling client know why allowRequest refused it", async () => {
    const server = await startServer({ allowRequest: (_req, answer) => answer("come back later", false) });
    const refused = nextEvent<[RefusedConnection]>(server.io.engine, "connection_error");

    const client = openClient(server.url, { travel: "polling" });
    const [error] = await nextEvent<[TransportFailure]>(client, "connect_error");

    expect(error.description).toBe(403);
    const [event] = await refused;
    expect(event).toMatchObject({ code: 4, message: "Forbidden", context: { message: "come back later" } });
  });

  it("refuses a websocket client that allowRequest does not let in", async () => {
    const server = await startServer({ allowRequest: (_req, answer) => answer(null, false) });
    const refused = nextEvent<[RefusedConnection]>(server.io.engine, "connection_error");

    const client = openClient(server.url);
    const [error] = await nextEvent<[Error]>(client, "connect_error");

    expect(error.message).toBe("websocket error");
    expect((await refused)[0]).toMatchObject({ code: 4, message: "Forbidden" });
    expect(server.io.engine.clientsCount).toBe(0);
  });

  it("asks allowRequest once for each session, whatever its transports", async () => {
    const allowRequest = vi.fn((_req: IncomingMessage, answer: (error: string | null, ok: boolean) => void) => {
      setImmediate(() => answer(null, true));
    });
    const server = await startServer({ allowRequest });

    await connectClient(server.url, { travel: "upgrade" });
    await connectClient(server.url, { travel: "websocket" });

    expect(allowRequest).toHaveBeenCalledTimes(2);
  });

  it.each(singleTransports)("refuses a %s client when only the other transport is served", async (transport) => {
    const served = transport === "polling" ? "websocket" : "polling";
    const server = await startServer({ transports: [served] });
    const refused = nextEvent<[RefusedConnection]>(server.io.engine, "connection_error");

    const client = openClient(server.url, { travel: transport });
    await nextEvent(client, "connect_error");
    await connectClient(server.url, { travel: served });

    if (transport === "polling") {
      expect((await refused)[0]).toMatchObject({ code: 0, message: "Transport unknown", context: { transport } });
    }
  });

  it.each(travels)("runs engine middlewares for each request and lets them set headers over %s", async (travel) => {
    const server = await startServer();
    const order: string[] = [];
    server.io.engine.use(
      (req: IncomingMessage & { _query: { sid?: string } }, res: ServerResponse, next: () => void) => {
        if (req._query.sid === undefined) order.push("first");
        res.setHeader("x-middleware", "yes");
        next();
      },
    );
    server.io.engine.use(
      (req: IncomingMessage & { _query: { sid?: string } }, _res: ServerResponse, next: () => void) => {
        if (req._query.sid === undefined) order.push("second");
        setImmediate(next);
      },
    );
    const headers = new Promise<unknown>((resolve) => {
      server.webServer.prependListener("request", (_req: IncomingMessage, res: ServerResponse) => {
        res.once("finish", () => resolve(res.getHeader("x-middleware")));
      });
      if (travel === "websocket") resolve("yes");
    });

    await connectClient(server.url, { travel });

    expect(order).toEqual(["first", "second"]);
    expect(await headers).toBe("yes");
  });

  it.each(singleTransports)("refuses a %s client when an engine middleware fails", async (travel) => {
    const server = await startServer();
    server.io.engine.use((_req: unknown, _res: unknown, next: (error?: Error) => void) => next(new Error("no")));
    const refused = nextEvent<[RefusedConnection]>(server.io.engine, "connection_error");

    await nextEvent(openClient(server.url, { travel }), "connect_error");

    expect((await refused)[0]).toMatchObject({
      code: 3,
      message: "Bad request",
      context: { name: "MIDDLEWARE_FAILURE" },
    });
  });

  it("announces the headers of the handshake once and those of each response", async () => {
    const server = await startServer();
    const initial = vi.fn();
    const each = vi.fn();
    server.io.engine.on("initial_headers", (headers: OutgoingHttpHeaders, req: IncomingMessage) => {
      initial(req.url);
      headers["x-initial"] = "1";
    });
    server.io.engine.on("headers", (headers: OutgoingHttpHeaders) => {
      each();
      headers["x-each"] = "1";
    });

    await connectClient(server.url, { travel: "upgrade" });

    expect(initial).toHaveBeenCalledOnce();
    expect(each.mock.calls.length).toBeGreaterThanOrEqual(3);
  });

  it.each(travels)("uses the session ids of a replaced generateId over %s", async (travel) => {
    const server = await startServer();
    server.io.engine.generateId = async () => "my own id";

    const { client } = await connectPair(server, { travel });

    expect(client.io.engine.id).toBe("my own id");
    expect(server.io.engine).toHaveProperty(["clients", "my own id"]);
  });

  it.each(travels)("carries compressed messages both ways over %s", async (travel) => {
    const server = await startServer({ perMessageDeflate: { threshold: 0 }, httpCompression: { threshold: 0 } });
    const { client, socket } = await connectPair(server, { travel });
    const echo = (value: unknown, reply: (value: unknown) => void): void => reply(value);
    client.on("echo", echo);
    socket.on("echo", echo);
    const values = ["", "short", "long ".repeat(10_000), Buffer.alloc(5000, "binary"), [Buffer.from([1]), "mixed"]];

    for (const value of values) {
      expect(await client.emitWithAck("echo", value)).toEqual(value);
      expect(await socket.emitWithAck("echo", value)).toEqual(value);
    }
    const received = nextEvent(client, "broadcast");
    server.io.emit("broadcast", "long ".repeat(10_000));
    expect(await received).toEqual(["long ".repeat(10_000)]);
    if (travel !== "polling") {
      const { ws } = client.io.engine.transport as unknown as { ws: { extensions: string } };
      expect(ws.extensions).toContain("permessage-deflate");
    }
  });

  it("negotiates no compression of websockets by default", async () => {
    const server = await startServer();

    const client = await connectClient(server.url);

    const { ws } = client.io.engine.transport as unknown as { ws: { extensions: string } };
    expect(ws.extensions).toBe("");
  });

  it("sends the cookie to a client that keeps cookies, which returns it", async () => {
    const server = await startServer({ cookie: { name: "session-of-io", path: "/" } });
    const returned = new Promise<string | undefined>((resolve) => {
      server.webServer.prependListener("upgrade", (req: IncomingMessage) => resolve(req.headers.cookie));
    });

    const client = await connectClient(server.url, { travel: "upgrade", withCredentials: true });

    expect(await returned).toBe(`session-of-io=${client.io.engine.id}`);
  });
});
