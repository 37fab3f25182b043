import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { EnginePacket } from "@plugboard/protocol";
import { eventInbox, Inbox, listen, SmallXMLHttpRequest, startEngine } from "@plugboard/testkit";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { webHost, type BinaryType } from "../host.js";
import { nodeHost } from "../node/node-host.js";
import { NodeXHR } from "../node/node-xhr.js";
import { Fetch } from "./fetch.js";
import { Polling } from "./polling.js";
import type { TransportError } from "./transport-error.js";
import type { TransportOptions } from "./transport.js";
import { XHR } from "./xhr.js";

/** Options of a transport for a server, as an engine would set them. */
function optionsFor(
  origin: string,
  more: TransportOptions = {},
  binaryType: BinaryType = "nodebuffer",
): TransportOptions {
  const { hostname, port } = new URL(origin);
  const query = { EIO: 4, transport: "polling" };
  const socket = { _host: nodeHost, binaryType };
  return { hostname, port, path: "/engine.io/", query, socket, ...more };
}

/** A server that keeps its requests for the test to answer. */
async function startByHand() {
  const requests = new Inbox<{ req: IncomingMessage; res: ServerResponse; body: string }>();
  const origin = await listen(
    createServer(async (req, res) => {
      let body = "";
      for await (const chunk of req.setEncoding("utf8")) body += chunk;
      requests.push({ req, res, body });
    }),
  );
  return { origin, requests };
}

const HANDSHAKE = '0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100}';

/** Requests that the test answers. */
class ManualPolling extends Polling {
  polls = 0;
  readonly written: string[] = [];
  readonly #posts: Array<() => void> = [];

  doRequest(onLoad: (text: string) => void, body?: string): void {
    if (body === undefined) this.polls++;
    else {
      this.written.push(body);
      this.#posts.push(() => onLoad("ok"));
    }
  }

  completePost(): void {
    this.#posts.shift()?.();
  }
}

function openManually(): ManualPolling {
  const transport = new ManualPolling({ hostname: "localhost" }).open();
  transport.onData(HANDSHAKE);
  return transport;
}

describe("Polling", () => {
  it("is open, and knows its session, before the handshake is handed over", () => {
    const transport = new ManualPolling({ hostname: "localhost" });
    const seen: unknown[] = [];
    transport.on("open", () => seen.push(["open", transport.query["sid"], transport.writable]));
    transport.on("packet", ({ type }: EnginePacket) => seen.push([type, transport.readyState]));
    transport.open();
    expect(transport.readyState).toBe("opening");
    transport.onData(`${HANDSHAKE}\x1e4a`);
    expect(seen).toEqual([
      ["open", "abc", true],
      ["open", "open"],
      ["message", "open"],
    ]);
    expect(transport.polls).toBe(2);
  });

  it("hands over a handshake that is no JSON, for the engine to refuse", () => {
    const transport = new ManualPolling({ hostname: "localhost" });
    const packets = eventInbox<EnginePacket>(transport, "packet");
    transport.open().onData("0{");
    expect(packets.size).toBe(1);
  });

  it("posts one batch at a time and drains when it is out", () => {
    const transport = openManually();
    const drained = eventInbox(transport, "drain");
    transport.send([
      { type: "message", data: "a" },
      { type: "pong" },
      { type: "message", data: new Uint8Array([1, 2]) },
    ]);
    expect(transport.written).toEqual(["4a\x1e3\x1ebAQI="]);
    expect(transport.writable).toBe(false);
    expect(drained.size).toBe(0);
    transport.completePost();
    expect(transport.writable).toBe(true);
    expect(drained.size).toBe(1);
  });

  it("pauses when the poll and the post under way are over, and polls no more", () => {
    const transport = openManually();
    const packets = eventInbox<EnginePacket>(transport, "packet");
    const onPause = vi.fn();
    transport.send([{ type: "message", data: "a" }]);
    transport.pause(onPause);
    expect(transport.readyState).toBe("pausing");
    transport.completePost();
    expect(onPause).not.toHaveBeenCalled();
    transport.onData("4last");
    expect(packets.size).toBe(1);
    expect(onPause).toHaveBeenCalledOnce();
    expect(transport.readyState).toBe("paused");
    expect(transport.polls).toBe(2);
  });

  it("pauses after the post when the poll was over first", () => {
    const transport = openManually();
    const onPause = vi.fn();
    transport.send([{ type: "message", data: "a" }]);
    transport.pause(onPause);
    transport.onData("6");
    expect(onPause).not.toHaveBeenCalled();
    transport.completePost();
    expect(onPause).toHaveBeenCalledOnce();
  });

  it("goes on polling after a pause that led to nothing", () => {
    const transport = openManually();
    const onPause = vi.fn();
    transport.pause(onPause);
    transport._resume();
    expect(transport.polls).toBe(2);
    transport.onData("6");
    expect(onPause).not.toHaveBeenCalled();
    expect(transport.polls).toBe(3);
    transport.pause(onPause);
    transport.onData("6");
    transport._resume();
    expect(transport.readyState).toBe("open");
    expect(transport.polls).toBe(4);
  });

  it("does not come back to life when it is resumed after its end", () => {
    const transport = openManually();
    transport.pause(() => {});
    transport.close();
    transport._resume();
    transport.onData("6");
    expect(transport.readyState).toBe("closed");
    expect(transport.polls).toBe(2);
  });

  it("ends the session of a handshake whose answer comes after the close", () => {
    const transport = new ManualPolling({ hostname: "localhost" });
    const opened = eventInbox(transport, "open");
    transport.open().close();
    expect(transport.written).toEqual([]);
    transport.onData(HANDSHAKE);
    expect(transport.written).toEqual(["1"]);
    expect(transport.uri()).toContain("sid=abc");
    expect(opened.size).toBe(0);
    expect(transport.polls).toBe(1);
  });

  it("ends the session when a listener closes it as it opens", () => {
    const transport = new ManualPolling({ hostname: "localhost" });
    transport.on("open", () => transport.close());
    transport.open().onData(HANDSHAKE);
    expect(transport.written).toEqual(["1"]);
    expect(transport.uri()).toContain("sid=abc");
    expect(transport.polls).toBe(1);
  });

  it("calls off what is still under way when the server has the close", () => {
    const transport = openManually();
    const poll = { abort: vi.fn() };
    transport._requests.add(poll);
    transport.close();
    expect(poll.abort).not.toHaveBeenCalled();
    transport.completePost();
    expect(poll.abort).toHaveBeenCalledOnce();
  });

  it("calls off what is still under way when the close fails or is not answered", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    for (const end of [
      (transport: Polling) => transport.onError("xhr post error"),
      () => vi.advanceTimersByTime(5000),
    ]) {
      const transport = openManually();
      const errors = eventInbox(transport, "error");
      const poll = { abort: vi.fn() };
      transport._requests.add(poll);
      transport.close();
      end(transport);
      expect(poll.abort).toHaveBeenCalled();
      expect(errors.size).toBe(0);
    }
  });

  it("gives bytes in the type that the engine wants at the moment", async () => {
    const socket = { _host: webHost, binaryType: "arraybuffer" as BinaryType };
    const transport = new ManualPolling({ hostname: "localhost", socket }).open();
    const packets = eventInbox<EnginePacket>(transport, "packet");
    transport.onData("bAQID");
    socket.binaryType = "blob";
    transport.onData("bAQID");
    const [buffer, blob] = (await packets.take(2)).map(({ data }) => data as unknown);
    expect(buffer).toEqual(new Uint8Array([1, 2, 3]).buffer);
    expect(blob).toBeInstanceOf(Blob);
    expect(new Uint8Array(await (blob as Blob).arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe.each([
  { Class: XHR, reading: "xhr poll error", writing: "xhr post error" },
  { Class: NodeXHR, reading: "xhr poll error", writing: "xhr post error" },
  { Class: Fetch, reading: "fetch read error", writing: "fetch write error" },
])("$Class.name", ({ Class, reading, writing }) => {
  beforeEach(() => {
    vi.stubGlobal("XMLHttpRequest", SmallXMLHttpRequest);
    return () => vi.unstubAllGlobals();
  });

  it("carries texts both ways, in order, whatever their characters", async () => {
    const { origin, connected } = await startEngine();
    const transport = new Class(optionsFor(origin));
    const packets = eventInbox<EnginePacket>(transport, "packet");
    transport.open();
    const session = await connected;
    const received = eventInbox<string>(session, "message");
    expect(JSON.parse(String((await packets.next()).data))).toMatchObject({ sid: session.id });
    const texts = ["a", "é€", "\u{1f600} \ue000", '{"x":"\\n"}'];
    for (const text of texts) session.send(text);
    expect((await packets.take(4)).map(({ data }) => data)).toEqual(texts);
    transport.send(texts.map((data) => ({ type: "message", data })));
    expect(await received.take(4)).toEqual(texts);
    transport.close();
    await once(session, "close");
  });

  it("carries bytes both ways", async () => {
    const { origin, connected } = await startEngine();
    const transport = new Class(optionsFor(origin, {}));
    const packets = eventInbox<EnginePacket>(transport, "packet");
    transport.open();
    const session = await connected;
    const received = eventInbox<Uint8Array>(session, "message");
    await packets.next();
    const bytes = Buffer.from([0, 255, 128, 7]);
    session.send(bytes);
    const { data } = await packets.next();
    expect(Buffer.isBuffer(data)).toBe(true);
    expect(data).toEqual(bytes);
    transport.send([{ type: "message", data: new Uint8Array([9, 0, 255, 9]).subarray(1, 3) }]);
    expect([...(await received.next())]).toEqual([0, 255]);
    transport.close();
    await once(session, "close");
  });

  it("gives an exact ArrayBuffer where that is asked for", async () => {
    const { origin, connected } = await startEngine();
    const transport = new Class(optionsFor(origin, {}, "arraybuffer"));
    const packets = eventInbox<EnginePacket>(transport, "packet");
    transport.open();
    const session = await connected;
    await packets.next();
    session.send(Buffer.from([1, 2, 3]));
    expect((await packets.next()).data).toEqual(new Uint8Array([1, 2, 3]).buffer);
    transport.close();
    await once(session, "close");
  });

  it("ends the session by a packet when it is closed, and lets its poll go", async () => {
    const { origin, connected } = await startEngine();
    const transport = new Class(optionsFor(origin));
    const packets = eventInbox<EnginePacket>(transport, "packet");
    const errors = eventInbox(transport, "error");
    transport.open();
    const session = await connected;
    await packets.next();
    transport.close();
    expect(transport.readyState).toBe("closed");
    expect((await once(session, "close"))[0]).toBe("transport close");
    await expect.poll(() => transport._requests.size).toBe(0);
    expect(errors.size).toBe(0);
  });

  it("waits for the answer to a handshake that is closed, and ends its session", async () => {
    const { origin, requests } = await startByHand();
    const transport = new Class(optionsFor(origin));
    const errors = eventInbox(transport, "error");
    transport.open();
    const { res } = await requests.next();
    transport.close();
    res.end(HANDSHAKE);
    const end = await requests.next();
    expect([end.req.method, new URL(end.req.url ?? "", origin).searchParams.get("sid")]).toEqual(["POST", "abc"]);
    end.res.end("ok");
    await expect.poll(() => transport._requests.size).toBe(0);
    expect(errors.size).toBe(0);
  });

  it("breaks off a handshake that is not answered in the 5 seconds after it is closed, silently", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { origin, requests } = await startByHand();
    const transport = new Class(optionsFor(origin));
    const errors = eventInbox(transport, "error");
    transport.open();
    const { res } = await requests.next();
    transport.close();
    vi.advanceTimersByTime(4999);
    expect(transport._requests.size).toBe(1);
    vi.advanceTimersByTime(1);
    await once(res, "close");
    vi.runAllTimers();
    expect(errors.size).toBe(0);
  });

  it("is closed by the server's close packet", async () => {
    const { origin, requests } = await startByHand();
    const transport = new Class(optionsFor(origin));
    const closed = eventInbox(transport, "close");
    transport.open();
    (await requests.next()).res.end(`${HANDSHAKE}\x1e1`);
    expect(await closed.next()).toEqual({ description: "transport closed by the server" });
    expect(requests.size).toBe(0);
  });

  it("says which status a poll got", async () => {
    const { origin } = await startEngine();
    const options = optionsFor(origin);
    const transport = new Class({ ...options, query: { ...options.query, sid: "unknown" } });
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    const error = await errors.next();
    expect(error).toMatchObject({ message: reading, type: "TransportError", description: 400 });
    expect(error.context).toMatchObject({ status: 400 });
  });

  it("says which status a post got", async () => {
    const { origin } = await startEngine({ maxHttpBufferSize: 10 });
    const transport = new Class(optionsFor(origin));
    const errors = eventInbox<TransportError>(transport, "error");
    transport.on("open", () => transport.send([{ type: "message", data: "x".repeat(100) }]));
    transport.open();
    const error = await errors.next();
    expect(error).toMatchObject({ message: writing, description: 413 });
    transport.close();
  });

  it("says that nobody listens there", async () => {
    const server = createServer();
    const origin = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const transport = new Class(optionsFor(origin));
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    const error = await errors.next();
    expect(error.message).toBe(reading);
    if (Class === Fetch) expect(error).toMatchObject({ description: expect.any(Error), context: undefined });
    else expect(error).toMatchObject({ description: 0, context: { status: 0, readyState: 4, responseText: "" } });
  });

  it("gives up a request that takes longer than it may", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { origin, requests } = await startByHand();
    const transport = new Class(optionsFor(origin, { requestTimeout: 50 }));
    const errors = eventInbox<TransportError>(transport, "error");
    transport.open();
    const { res } = await requests.next();
    vi.advanceTimersByTime(49);
    expect(transport._requests.size).toBe(1);
    vi.advanceTimersByTime(1);
    await once(res, "close");
    await vi.waitFor(() => expect(errors.size).toBe(1), 20_000);
    expect((await errors.next()).message).toBe(reading);
  });

  it("sends extra headers with every request, and the type of a payload", async () => {
    const { origin, requests } = await startByHand();
    const extraHeaders = { "X-Token": "secret" };
    const transport = new Class(optionsFor(origin, { extraHeaders }));
    expect(transport.opts.extraHeaders).toBe(extraHeaders);
    transport.on("open", () => transport.send([{ type: "message", data: "€" }]));
    transport.open();
    const handshake = await requests.next();
    expect(handshake.req.method).toBe("GET");
    expect(handshake.req.headers).toMatchObject({ "x-token": "secret", accept: "*/*" });
    handshake.res.end(HANDSHAKE);
    const [first, second] = await requests.take(2);
    const post = first?.req.method === "POST" ? first : second;
    expect(post?.body).toBe("4€");
    expect(post?.req.headers).toMatchObject({ "x-token": "secret", "content-type": "text/plain;charset=UTF-8" });
    expect(new URL(post?.req.url ?? "", origin).searchParams.get("sid")).toBe("abc");
    transport.close();
  });
});
