import { once } from "node:events";
import { Agent, createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Socket, type NetConnectOpts } from "node:net";
import { eventInbox, Inbox, listen, selfSignedCertificate } from "@plugboard/testkit";
import { describe, expect, it } from "vitest";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { TransportOptions } from "../transports/transport.js";
import { jarOf } from "./cookie-jar.js";
import { nodeHost } from "./node-host.js";
import { NodeWebSocket } from "./node-websocket.js";

async function startWebSockets(options: ServerOptions = {}, server = createServer()) {
  const websockets = new WebSocketServer({ server, ...options });
  const handshakes = new Inbox<IncomingMessage>();
  const connections = new Inbox<WebSocket>();
  websockets.on("connection", (websocket, request) => {
    handshakes.push(request);
    connections.push(websocket);
  });
  return { origin: await listen(server), handshakes, connections };
}

function create(origin: string, more: TransportOptions = {}): NodeWebSocket {
  const { hostname, port } = new URL(origin);
  return new NodeWebSocket({ hostname, port, path: "/", ...more });
}

async function open(transport: NodeWebSocket): Promise<void> {
  const opened = eventInbox(transport, "open");
  transport.open();
  await opened.next();
}

/** A socket that counts how often it hands bytes to the system. */
class CountingSocket extends Socket {
  writes = 0;

  override _write(...args: Parameters<Socket["_write"]>): void {
    this.writes++;
    super._write(...args);
  }

  override _writev(...args: Parameters<NonNullable<Socket["_writev"]>>): void {
    this.writes++;
    super._writev?.(...args);
  }
}

class CountingAgent extends Agent {
  readonly sockets_ = new Inbox<CountingSocket>();

  override createConnection(options: NetConnectOpts): Socket {
    const socket = new CountingSocket();
    this.sockets_.push(socket);
    return socket.connect(options);
  }
}

describe("NodeWebSocket", () => {
  it("sends extra headers and the cookies of the jar, and leaves what it was given alone", async () => {
    const { origin, handshakes } = await startWebSockets();
    const extraHeaders = { Cookie: "own=0", "X-Token": "secret" };
    const socket = { _host: nodeHost, binaryType: "nodebuffer" as const };
    for (let i = 0; i < 2; i++) {
      const transport = create(origin, { extraHeaders, socket, withCredentials: true });
      jarOf(transport)?.store(["a=1", "b=2"]);
      expect(transport.opts.extraHeaders).toBe(extraHeaders);
      await open(transport);
      const { headers } = await handshakes.next();
      expect(headers).toMatchObject({ cookie: "own=0; a=1; b=2", "x-token": "secret" });
      expect(headers).not.toHaveProperty("user-agent");
      transport.close();
    }
    expect(extraHeaders).toEqual({ Cookie: "own=0", "X-Token": "secret" });
  });

  it("passes on the options of `ws`", async () => {
    const { origin, handshakes, connections } = await startWebSockets();
    const options = { origin: "http://elsewhere", maxPayload: 10 } as TransportOptions;
    const transport = create(origin, options);
    const errors = eventInbox(transport, "error");
    await open(transport);
    expect((await handshakes.next()).headers.origin).toBe("http://elsewhere");
    const websocket = await connections.next();
    websocket.send("4".repeat(11));
    expect(await errors.next()).toMatchObject({ message: "websocket error" });
    transport.close();
    websocket.terminate();
  });

  it("gives a standalone request to the agent it was made with", async () => {
    const asked = await new Promise((resolve) => {
      const agent = { addRequest: resolve };
      new NodeWebSocket({ path: "/", hostname: "localhost", agent }).doOpen();
    });
    expect(asked).toMatchObject({ method: "GET" });
  });

  it("connects over TLS to a server whose authority is given", async () => {
    const { origin } = await startWebSockets({}, createTlsServer(selfSignedCertificate) as never);
    const stranger = create(origin, { secure: true });
    const errors = eventInbox(stranger, "error");
    stranger.open();
    await errors.next();
    const transport = create(origin, { secure: true, ca: selfSignedCertificate.cert });
    await open(transport);
    transport.close();
  });

  it("offers compression, unless that is switched off", async () => {
    const { origin, handshakes } = await startWebSockets();
    const offered = async (options: TransportOptions): Promise<string | undefined> => {
      const transport = create(origin, options);
      await open(transport);
      transport.close();
      return (await handshakes.next()).headers["sec-websocket-extensions"];
    };
    expect(await offered({})).toBe("permessage-deflate; client_max_window_bits");
    expect(await offered({ perMessageDeflate: false })).toBeUndefined();
  });

  it.each<{ options: TransportOptions; data: string | Uint8Array; compress?: boolean; expected: boolean }>([
    { options: { perMessageDeflate: { threshold: 0 } }, data: "a", expected: true },
    { options: { perMessageDeflate: { threshold: 0 } }, data: "a", compress: false, expected: false },
    { options: {}, data: "a", expected: false },
    { options: {}, data: "a".repeat(1023), expected: true },
    { options: {}, data: "a".repeat(1022), expected: false },
    { options: {}, data: "€".repeat(341), expected: true },
    { options: {}, data: new Uint8Array(1024), expected: true },
    { options: {}, data: new Uint8Array(1023), expected: false },
    { options: { perMessageDeflate: false }, data: "a".repeat(5000), expected: false },
  ])("compresses from the threshold on: case %#", async ({ options, data, compress = true, expected }) => {
    const { origin, connections } = await startWebSockets({ perMessageDeflate: true });
    const transport = create(origin, options);
    await open(transport);
    const asked: unknown[] = [];
    const ws = transport.ws as unknown as WebSocket;
    const send = ws.send.bind(ws);
    ws.send = (message: unknown, sendOptions: unknown) => {
      asked.push((sendOptions as { compress: boolean }).compress);
      send(message as string, sendOptions as object);
    };
    const websocket = await connections.next();
    const received = once(websocket, "message");
    transport.send([{ type: "message", data: data as string, options: { compress } }]);
    expect(asked).toEqual([expected]);
    const [message] = (await received) as [Buffer];
    expect(message.equals(typeof data === "string" ? Buffer.from(`4${data}`) : Buffer.from(data))).toBe(true);
    transport.close();
  });

  it("writes each batch once and at once", async () => {
    const { origin, connections } = await startWebSockets();
    const agent = new CountingAgent();
    const transport = create(origin, { agent });
    await open(transport);
    const socket = await agent.sockets_.next();
    const received = eventInbox<Buffer>(await connections.next(), "message");
    const before = socket.writes;
    transport.once("drain", () =>
      transport.send([
        { type: "message", data: "c" },
        { type: "message", data: "d" },
      ]),
    );
    transport.send([
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ]);
    expect(socket.writes - before).toBe(1);
    expect((await received.take(4)).map(String)).toEqual(["4a", "4b", "4c", "4d"]);
    expect(socket.writes - before).toBe(2);
    transport.close();
  });

  it("sends what was written before it closes", async () => {
    const { origin, connections } = await startWebSockets();
    const transport = create(origin);
    await open(transport);
    const websocket = await connections.next();
    const received = eventInbox<Buffer>(websocket, "message");
    const closed = once(websocket, "close");
    transport.send([{ type: "message", data: "last" }]);
    transport.close();
    expect(String(await received.next())).toBe("4last");
    expect((await closed)[0]).toBe(1005);
  });

  it("does not keep the process alive with `autoUnref`, from the handshake on", async () => {
    for (const autoUnref of [true, false]) {
      const server = createServer();
      const websockets = new WebSocketServer({ noServer: true });
      const upgrade = once(server, "upgrade") as Promise<[IncomingMessage, Socket, Buffer]>;
      const origin = await listen(server);
      const agent = new CountingAgent();
      const transport = create(origin, { agent, autoUnref });
      const opened = eventInbox(transport, "open");
      transport.open();
      const socket = (await agent.sockets_.next()) as unknown as { _handle: { hasRef(): boolean } };
      const [request, raw, head] = await upgrade;
      expect(socket._handle.hasRef()).toBe(!autoUnref);
      websockets.handleUpgrade(request, raw, head, () => {});
      await opened.next();
      expect(socket._handle.hasRef()).toBe(!autoUnref);
      transport.close();
    }
  });
});
