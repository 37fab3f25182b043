import { encodeFrame, type EnginePacket, FrameDecoder } from "@plugboard/protocol";
import { createWebTransportPair, eventInbox, Inbox, type WebTransportEnd } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type BinaryType, webHost } from "../host.js";
import type { TransportError } from "./transport-error.js";
import type { TransportOptions } from "./transport.js";
import { WebTransport } from "./webtransport.js";

const HANDSHAKE = '{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';

/** A transport for one end of a session in memory; `asked` is what the constructor of the browser was given. */
function connect(client: WebTransportEnd, options: TransportOptions = {}) {
  const asked: unknown[] = [];
  vi.stubGlobal(
    "WebTransport",
    class {
      constructor(...args: unknown[]) {
        asked.push(...args);
        return client;
      }
    },
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  const transport = new WebTransport({ hostname: "localhost", port: 3000, path: "/engine.io/", ...options });
  return { transport, asked };
}

/** Cuts what is written into chunks. */
type Cut = (bytes: Uint8Array) => Iterable<Uint8Array>;

const whole: Cut = (bytes) => [bytes];
const bytewise: Cut = function* (bytes) {
  for (let i = 0; i < bytes.length; i++) yield bytes.slice(i, i + 1);
};

/** The far end of the first stream, speaking Engine.IO. */
async function acceptStream(server: WebTransportEnd, cut: Cut = whole) {
  const { codec } = webHost;
  const stream = (await server.incomingBidirectionalStreams.getReader().read()).value;
  if (stream === undefined) throw new Error("no stream came");
  const writer = stream.writable.getWriter();
  const received = new Inbox<EnginePacket>();
  const reader = stream.readable.getReader();
  const decoder = new FrameDecoder(Infinity, codec);
  void (async () => {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      for (const packet of decoder.push(value as Uint8Array)) received.push(packet);
    }
  })().catch(() => {});
  const sendRaw = async (bytes: Uint8Array): Promise<void> => {
    for (const chunk of cut(bytes)) await writer.write(chunk);
  };
  return {
    received,
    writer,
    sendRaw,
    send: (packet: Parameters<typeof codec.encodePacket>[0]) =>
      sendRaw(Buffer.concat(encodeFrame(codec.encodePacket(packet, true)))),
  };
}

/** An open transport and its server. */
async function open(cut?: Cut, options?: TransportOptions) {
  const pair = createWebTransportPair();
  const { transport } = connect(pair.client, options);
  const packets = eventInbox<EnginePacket>(transport, "packet");
  const errors = eventInbox<TransportError>(transport, "error");
  const closed = eventInbox(transport, "close");
  const opened = eventInbox(transport, "open");
  transport.open();
  const server = await acceptStream(pair.server, cut);
  expect(await server.received.next()).toEqual({ type: "open" });
  await opened.next();
  await server.send({ type: "open", data: HANDSHAKE });
  expect(await packets.next()).toEqual({ type: "open", data: HANDSHAKE });
  return { ...pair, transport, packets, errors, closed, peer: server };
}

function ownerWith(binaryType: BinaryType): TransportOptions {
  return { socket: { _host: webHost, binaryType } };
}

describe("WebTransport", () => {
  it("connects to https, without a query and with the options for it", async () => {
    const { client, server } = createWebTransportPair();
    const options = { serverCertificateHashes: [] };
    const { transport, asked } = connect(client, {
      query: { EIO: 4 },
      secure: false,
      transportOptions: { webtransport: options },
    });
    transport.open();
    expect(asked).toEqual(["https://localhost:3000/engine.io/", options]);
    expect(transport.readyState).toBe("opening");
    const opened = eventInbox(transport, "open");
    await acceptStream(server);
    await opened.next();
    expect(transport).toMatchObject({ readyState: "open", writable: true });
    transport.close();
  });

  it("names its session when it takes over", async () => {
    const { client, server } = createWebTransportPair();
    const { transport } = connect(client, { query: { sid: "abc" } });
    transport.open();
    const { received } = await acceptStream(server);
    expect(await received.next()).toEqual({ type: "open", data: '{"sid":"abc"}' });
    transport.close();
  });

  for (const [name, cut] of Object.entries({ whole, bytewise })) {
    it(`carries texts and bytes both ways, ${name} as they come`, async () => {
      const { transport, packets, peer } = await open(cut, ownerWith("arraybuffer"));
      const long = "€".repeat(200);
      const bytes = new Uint8Array(300).map((_, i) => i);
      await peer.send({ type: "ping" });
      await peer.send({ type: "message", data: long });
      await peer.send({ type: "message", data: bytes });
      expect(await packets.take(3)).toEqual([
        { type: "ping" },
        { type: "message", data: long },
        { type: "message", data: bytes.buffer },
      ]);
      const drained = eventInbox(transport, "drain");
      transport.send([{ type: "pong" }, { type: "message", data: long }, { type: "message", data: bytes }]);
      expect(transport.writable).toBe(false);
      expect(await peer.received.take(3)).toEqual([
        { type: "pong" },
        { type: "message", data: long },
        { type: "message", data: bytes },
      ]);
      await drained.next();
      expect(transport.writable).toBe(true);
      transport.close();
    });
  }

  it("carries a frame whose length takes 8 bytes", async () => {
    const { transport, packets, peer } = await open();
    const data = "x".repeat(70_000);
    await peer.send({ type: "message", data });
    expect(await packets.next()).toEqual({ type: "message", data });
    transport.send([{ type: "message", data }]);
    expect(await peer.received.next()).toEqual({ type: "message", data });
    transport.close();
  });

  it("gives Blobs where those are wanted", async () => {
    const { transport, packets, peer } = await open(whole, ownerWith("blob"));
    await peer.send({ type: "message", data: new Uint8Array([1, 2]) });
    const { data } = await packets.next();
    expect(data).toBeInstanceOf(Blob);
    expect([...new Uint8Array(await (data as unknown as Blob).arrayBuffer())]).toEqual([1, 2]);
    transport.close();
  });

  it("sends base64 where bytes are not wanted", async () => {
    const { transport, peer } = await open(whole, { forceBase64: true });
    transport.send([{ type: "message", data: new Uint8Array([1, 2, 3]) }]);
    expect(await peer.received.next()).toEqual({ type: "message", data: new Uint8Array([1, 2, 3]) });
    transport.close();
  });

  it("hands over an error packet for a frame without payload and for one that is longer than any", async () => {
    for (const bad of [[0], [127, 255, 255, 255, 255, 255, 255, 255, 255]]) {
      const { transport, packets, peer } = await open();
      void peer.sendRaw(Uint8Array.from(bad));
      expect(await packets.next()).toEqual({ type: "error", data: "parser error" });
      transport.close();
    }
  });

  it("is closed, without details, when the server closes the session", async () => {
    const { server, transport, closed, errors } = await open();
    server.close();
    expect(await closed.next()).toBeUndefined();
    expect(transport).toMatchObject({ readyState: "closed", writable: false });
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(errors.size).toBe(0);
  });

  it("is closed when the server ends the stream", async () => {
    const { closed, peer, errors } = await open();
    await peer.writer.close();
    expect(await closed.next()).toBeUndefined();
    expect(errors.size).toBe(0);
  });

  it("reports a session that breaks, with what is being written", async () => {
    const { fail, transport, errors } = await open();
    const problem = new Error("gone");
    transport.send([
      { type: "message", data: "a" },
      { type: "message", data: "b" },
    ]);
    fail(problem);
    expect(await errors.next()).toMatchObject({ message: "webtransport error", description: problem });
    transport.close();
  });

  it("reports a stream that the server breaks off", async () => {
    const { transport, errors, peer } = await open();
    const problem = new Error("reset");
    await peer.writer.abort(problem);
    expect(await errors.next()).toMatchObject({ message: "webtransport error", description: problem });
    transport.close();
  });

  it("reports a session that never stands", async () => {
    const problem = new Error("refused");
    const { client } = createWebTransportPair(Promise.reject(problem));
    const { transport } = connect(client);
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    expect(await errors.next()).toMatchObject({ message: "webtransport error", description: problem });
    transport.close();
  });

  it("reports what the constructor throws", () => {
    vi.stubGlobal("WebTransport", undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    const transport = new WebTransport({ hostname: "localhost", path: "/" });
    const errors = eventInbox(transport, "error");
    transport.open();
    expect(errors.size).toBe(1);
    transport.close();
  });

  it("ends the session when it is closed, and does not open when that was before", async () => {
    let connected = (): void => {};
    const { client } = createWebTransportPair(new Promise<void>((resolve) => (connected = resolve)));
    const { transport } = connect(client);
    const opened = eventInbox(transport, "open");
    const errors = eventInbox(transport, "error");
    transport.open();
    transport.close();
    connected();
    await client.closed;
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(transport.readyState).toBe("closed");
    expect(opened.size + errors.size).toBe(0);
  });

  it("does not open when it is closed while its first packet is on its way", async () => {
    const { client, server } = createWebTransportPair();
    const { transport } = connect(client);
    const opened = eventInbox(transport, "open");
    transport.open();
    const stream = (await server.incomingBidirectionalStreams.getReader().read()).value;
    const reader = stream?.readable.getReader();
    // The header, then the packet, which is out now although the transport has not heard of it yet.
    await reader?.read();
    await reader?.read();
    expect(opened.size).toBe(0);
    transport.close();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(transport.readyState).toBe("closed");
    expect(opened.size).toBe(0);
  });

  it("calls back at once when another transport is to take over", async () => {
    const { transport } = await open();
    const onPause = vi.fn();
    transport.pause(onPause);
    expect(onPause).toHaveBeenCalledOnce();
    transport.close();
  });
});
