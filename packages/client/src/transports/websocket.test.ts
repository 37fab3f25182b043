import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { EnginePacket } from "@plugboard/protocol";
import { eventInbox, listen, startEngine } from "@plugboard/testkit";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket as WsWebSocket, WebSocketServer } from "ws";
import type { BinaryType } from "../host.js";
import { nodeHost } from "../node/node-host.js";
import { NodeWebSocket } from "../node/node-websocket.js";
import type { TransportError } from "./transport-error.js";
import type { TransportOptions } from "./transport.js";
import { WebSocket } from "./websocket.js";

function optionsFor(
  origin: string,
  more: TransportOptions = {},
  binaryType: BinaryType = "nodebuffer",
): TransportOptions {
  const { hostname, port } = new URL(origin);
  const query = { EIO: 4, transport: "websocket" };
  const socket = { _host: nodeHost, binaryType };
  return { hostname, port, path: "/engine.io/", query, socket, ...more };
}

/** A server of plain WebSockets. */
async function startWebSockets() {
  const server = createServer();
  const websockets = new WebSocketServer({ server, handleProtocols: (protocols) => [...protocols][0] ?? false });
  const connections = eventInbox<WsWebSocket>(websockets as never, "connection");
  const handshakes = eventInbox<IncomingMessage>(server as never, "upgrade");
  const origin = await listen(server);
  return { origin, connections, handshakes };
}

describe.each([{ Class: WebSocket }, { Class: NodeWebSocket }])("$Class.name", ({ Class }) => {
  // That of `ws` stands in for the one that browsers have: it offers the same properties.
  beforeEach(() => {
    vi.stubGlobal("WebSocket", WsWebSocket);
    return () => vi.unstubAllGlobals();
  });

  it("carries texts both ways, in order, whatever their characters", async () => {
    const { origin, connected } = await startEngine();
    const transport = new Class(optionsFor(origin));
    const packets = eventInbox<EnginePacket>(transport, "packet");
    const drained = eventInbox(transport, "drain");
    transport.open();
    const session = await connected;
    const received = eventInbox<string>(session, "message");
    expect(JSON.parse(String((await packets.next()).data))).toMatchObject({ sid: session.id });
    const texts = ["", "a", "é€", "\u{1f600} \ue000", "x".repeat(70_000)];
    for (const text of texts) session.send(text);
    expect((await packets.take(5)).map(({ data }) => data ?? "")).toEqual(texts);
    transport.send(texts.map((data) => ({ type: "message", data })));
    expect(transport.writable).toBe(false);
    await drained.next();
    expect(transport.writable).toBe(true);
    expect(await received.take(5)).toEqual(texts);
    transport.close();
    expect((await once(session, "close"))[0]).toBe("transport close");
  });

  it.each<[BinaryType, (data: unknown) => Promise<Buffer>]>([
    ["nodebuffer", async (data) => (expect(Buffer.isBuffer(data)).toBe(true), data as Buffer)],
    ["arraybuffer", async (data) => (expect(data).toBeInstanceOf(ArrayBuffer), Buffer.from(data as ArrayBuffer))],
    ["blob", async (data) => Buffer.from(await (data as Blob).arrayBuffer())],
  ])("carries bytes, and gives each as %s", async (binaryType, read) => {
    const { origin, connected } = await startEngine();
    const transport = new Class(optionsFor(origin, {}, binaryType));
    const packets = eventInbox<EnginePacket>(transport, "packet");
    transport.open();
    const session = await connected;
    const received = eventInbox<Uint8Array>(session, "message");
    await packets.next();
    for (const size of [0, 3, 70_000]) {
      const bytes = Buffer.alloc(size, 7);
      session.send(bytes);
      expect((await read((await packets.next()).data)).equals(bytes)).toBe(true);
      transport.send([{ type: "message", data: bytes }]);
      expect(bytes.equals(await received.next())).toBe(true);
      await expect.poll(() => transport.writable).toBe(true);
    }
    transport.close();
    await once(session, "close");
  });

  it("sends bytes as base64 when that is forced", async () => {
    const { origin, connections } = await startWebSockets();
    const transport = new Class(optionsFor(origin, { forceBase64: true }));
    transport.open();
    await once(await takeOpen(transport, connections), "message").then(([data]) => {
      expect(String(data)).toBe("bAQI=");
    });
    transport.close();

    async function takeOpen(from: WebSocket, inbox: typeof connections): Promise<WsWebSocket> {
      from.on("open", () => from.send([{ type: "message", data: new Uint8Array([1, 2]) }]));
      return await inbox.next();
    }
  });

  it("names its subprotocols", async () => {
    const { origin, handshakes } = await startWebSockets();
    const transport = new Class(optionsFor(origin, { protocols: ["one", "two"] }));
    transport.open();
    expect((await handshakes.next()).headers["sec-websocket-protocol"]).toBe("one,two");
    transport.close();
  });

  it("is closed, with the event, when the server closes", async () => {
    const { origin, connections } = await startWebSockets();
    const transport = new Class(optionsFor(origin));
    const closed = eventInbox<{ description: string; context: { code: number; reason: string } }>(transport, "close");
    const errors = eventInbox(transport, "error");
    transport.open();
    (await connections.next()).close(4000, "why");
    const { description, context } = await closed.next();
    expect(description).toBe("websocket connection closed");
    expect(context).toMatchObject({ code: 4000, reason: "why" });
    expect(errors.size).toBe(0);
  });

  it("is closed with code 1009, and no error, when it sent too much", async () => {
    const { origin } = await startEngine({ maxHttpBufferSize: 10 });
    const transport = new Class(optionsFor(origin));
    const closed = eventInbox<{ context: { code: number; reason: string } }>(transport, "close");
    const errors = eventInbox(transport, "error");
    transport.on("packet", () => transport.send([{ type: "message", data: "x".repeat(100) }]));
    transport.open();
    expect((await closed.next()).context).toMatchObject({ code: 1009, reason: "" });
    expect(errors.size).toBe(0);
  });

  it("reports a handshake that is refused, then closes", async () => {
    const { origin } = await startEngine();
    const options = optionsFor(origin);
    const transport = new Class({ ...options, query: { ...options.query, sid: "unknown" } });
    const errors = eventInbox<TransportError>(transport, "error");
    const closed = eventInbox(transport, "close");
    transport.open();
    expect(await errors.next()).toMatchObject({
      message: "websocket error",
      type: "TransportError",
      description: { type: "error" },
      context: undefined,
    });
    await closed.next();
  });

  it("can be closed before it is open, silently", async () => {
    const server = createServer();
    const upgrades = eventInbox<IncomingMessage>(server as never, "upgrade");
    const origin = await listen(server);
    const transport = new Class(optionsFor(origin));
    const errors = eventInbox(transport, "error");
    const opened = eventInbox(transport, "open");
    transport.open();
    const { socket } = await upgrades.next();
    const ended = once(socket.resume(), "end");
    transport.close();
    expect(transport.readyState).toBe("closed");
    await ended;
    socket.destroy();
    expect(errors.size + opened.size).toBe(0);
  });

  it("reports at once that its URL is invalid", () => {
    const transport = new Class({ hostname: "not a host", path: "/" });
    const errors = eventInbox(transport, "error");
    transport.open();
    expect(errors.size).toBe(1);
    transport.close();
  });

  it("does not throw when it writes while the socket is closing", async () => {
    const { origin, connections } = await startWebSockets();
    const transport = new Class(optionsFor(origin));
    const opened = eventInbox(transport, "open");
    const closed = eventInbox(transport, "close");
    transport.open();
    const far = await connections.next();
    await opened.next();
    transport.ws?.close();
    transport.write([{ type: "message", data: "a" }]);
    await closed.next();
    expect(transport.writable).toBe(false);
    far.terminate();
  });
});

describe("WebSocket", () => {
  /** What the class of the host was given. */
  function openWith(options: TransportOptions): unknown[] {
    const given: unknown[] = [];
    vi.stubGlobal(
      "WebSocket",
      class extends EventTarget {
        constructor(...args: unknown[]) {
          super();
          given.push(...args);
        }
        close(): void {}
      },
    );
    onTestFinished(() => void vi.unstubAllGlobals());
    new WebSocket({ hostname: "localhost", path: "/", ...options }).open().close();
    return given;
  }

  it("gives extra headers to a host that can send them, as React Native can", () => {
    const extraHeaders = { "X-Token": "secret" };
    expect(openWith({ extraHeaders, protocols: "one" })).toEqual(["ws://localhost/", "one", { headers: extraHeaders }]);
    expect(openWith({})).toEqual(["ws://localhost/", undefined, undefined]);
  });

  it("does not fail for `autoUnref`, which is for Node", () => {
    expect(openWith({ autoUnref: true })).toEqual(openWith({}));
  });
});
