import { once } from "node:events";
import { request } from "node:http";
import { expect, it } from "vitest";
import { connectPair, singleTransports } from "../../support/connect-client.js";
import { interopSuite } from "../../support/interop-suite.js";
import { nextEvent } from "../../support/next-event.js";
import { openRawPolling, openRawWebSocket, rawUpgrade, type EngineSession } from "../../support/raw-session.js";

/** Data and type of every packet that a session gets from now on. */
function packetsOf(session: EngineSession): unknown[] {
  const packets: unknown[] = [];
  session.on("packet", (packet) => packets.push(packet));
  return packets;
}

const memory = Uint8Array.from({ length: 32 }, (_, index) => index).buffer;
const binaries: [string, ArrayBuffer | ArrayBufferView, number[]][] = [
  ["a Uint8Array with an offset", new Uint8Array(memory, 3, 4), [3, 4, 5, 6]],
  ["an Int32Array with an offset", new Int32Array(memory, 4, 2), [4, 5, 6, 7, 8, 9, 10, 11]],
  ["an Int16Array with an offset", new Int16Array(memory).subarray(1, 2), [2, 3]],
  ["an ArrayBuffer", memory.slice(8, 11), [8, 9, 10]],
];

interopSuite("messages", ({ startServer }) => {
  it("delivers no message above the limit over polling, and one within it", async () => {
    const server = await startServer({ maxHttpBufferSize: 5 });
    const { peer, session } = await openRawPolling(server);
    const packets = packetsOf(session);

    expect((await peer.post("4aaaaa")).status).toBe(413);
    expect((await peer.post("4a")).status).toBe(200);

    expect(packets).toEqual([{ type: "message", data: "a" }]);
  });

  it("delivers no message above the limit over websocket, and one within it", async () => {
    const server = await startServer({ maxHttpBufferSize: 5 });
    const first = await openRawWebSocket(server);
    const refused = packetsOf(first.session);
    const second = await openRawWebSocket(server);
    const received = nextEvent(second.session, "packet");

    first.peer.send("4aaaaa");
    expect(await first.peer.closed).toBe(1009);
    second.peer.send("4a");

    expect(await received).toEqual([{ type: "message", data: "a" }]);
    expect(refused).toEqual([]);
  });

  it("takes a megabyte in a chunked body that comes in many pieces", async () => {
    const server = await startServer({ maxHttpBufferSize: 2_000_000 });
    const { peer, session } = await openRawPolling(server);
    const received = nextEvent<[{ type: string; data: string }]>(session, "packet");
    const piece = "0123456789".repeat(10_000);

    const post = request(peer.url(), { method: "POST", headers: { "transfer-encoding": "chunked" } });
    const answered = once(post, "response");
    post.write("4");
    for (let index = 0; index < 10; index++) await new Promise((resolve) => post.write(piece, resolve));
    post.end();

    const [response] = (await answered) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);
    expect((await received)[0].data === piece.repeat(10)).toBe(true);
  });

  it.each(binaries)("sends exactly the bytes of %s over polling", async (_what, value, bytes) => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);

    session.send(value as Buffer);

    expect((await peer.poll()).body).toBe(`b${Buffer.from(bytes).toString("base64")}`);
  });

  it.each(binaries)("sends exactly the bytes of %s over websocket", async (_what, value, bytes) => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);

    session.send(value as Buffer);

    expect(await peer.next()).toEqual(Uint8Array.from(bytes));
  });

  it.each(singleTransports)("reaches a client that asks for ArrayBuffers as ArrayBuffer over %s", async (travel) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { travel });
    client.io.engine.binaryType = "arraybuffer";

    const received = nextEvent<[ArrayBuffer]>(client.io.engine, "data");
    (socket.conn as EngineSession).send(Buffer.from([1, 2, 3]));

    const [data] = await received;
    expect(data).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(data)]).toEqual([1, 2, 3]);
  });

  it("calls back for each message of the upgrade window, once and in order", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const calls: string[] = [];
    const send = (data: string): void => void session.send(data, undefined, () => calls.push(data));
    const probe = rawUpgrade(server, peer);
    await probe.opened();
    probe.send("2probe");
    await probe.next();

    send("a");
    send("b");
    expect((await peer.poll()).body).toBe("4a\x1e4b");
    send("c");
    send("d");
    probe.send("5");
    expect(await probe.frames.take(2)).toEqual(["4c", "4d"]);
    await new Promise<void>((resolve) => session.send("e", undefined, () => resolve()));

    expect(calls).toEqual(["a", "b", "c", "d"]);
  });

  it("calls back never for what was not sent, and keeps nothing of it", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const calls: string[] = [];
    session.send("a", undefined, () => calls.push("a"));
    session.send("b", undefined, () => calls.push("b"));
    const closed = nextEvent(session, "close");

    await peer.post("1");
    await closed;
    await new Promise((resolve) => setImmediate(resolve));

    expect(calls).toEqual([]);
    for (const list of ["writeBuffer", "packetsFn", "sentCallbackFn"]) {
      expect(Reflect.get(session, list) ?? []).toEqual([]);
    }
  });
});
