import { expect, it } from "vitest";
import { connectClient, connectPair, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";

const memory = Uint8Array.from({ length: 64 }, (_, index) => index).buffer;

/** Each kind of binary value, and the bytes it stands for: those it shows, not those of the memory below it. */
const binaryValues: { kind: string; value: ArrayBuffer | ArrayBufferView; bytes: Buffer }[] = [
  { kind: "a Buffer", value: Buffer.from([1, 2, 255]), bytes: Buffer.from([1, 2, 255]) },
  { kind: "an empty Buffer", value: Buffer.alloc(0), bytes: Buffer.alloc(0) },
  { kind: "a slice of a Buffer", value: Buffer.from(memory).subarray(3, 9), bytes: Buffer.from(memory, 3, 6) },
  { kind: "an ArrayBuffer", value: memory, bytes: Buffer.from(memory) },
  { kind: "a Uint8Array with an offset", value: new Uint8Array(memory, 5, 7), bytes: Buffer.from(memory, 5, 7) },
  { kind: "an Int16Array with an offset", value: new Int16Array(memory, 2, 4), bytes: Buffer.from(memory, 2, 8) },
  { kind: "a Uint32Array with an offset", value: new Uint32Array(memory, 8, 3), bytes: Buffer.from(memory, 8, 12) },
  { kind: "a Float64Array with an offset", value: new Float64Array(memory, 16, 2), bytes: Buffer.from(memory, 16, 16) },
  { kind: "a DataView with an offset", value: new DataView(memory, 1, 5), bytes: Buffer.from(memory, 1, 5) },
];

interopSuite("binary", ({ startServer }) => {
  for (const travel of travels) {
    it.each(binaryValues)(`carries $kind both ways over ${travel}`, async ({ value, bytes }) => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel });

      const atServer = nextEvent(socket, "bytes");
      const atClient = nextEvent(client, "bytes");
      client.emit("bytes", value);
      socket.emit("bytes", value);

      expect(await atServer).toEqual([bytes]);
      const [received] = await atClient;
      expect(received).toBeInstanceOf(Buffer);
      expect(received).toEqual(bytes);
    });

    it(`carries nested binary in order, with the text around it, over ${travel}`, async () => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel });
      const nested = {
        list: [Buffer.from([1]), { deep: new Uint8Array([2, 3]), text: "between" }, null],
        date: new Date(0),
        last: new Uint8Array(memory, 4, 4).buffer.slice(4, 8),
      };
      const expected = {
        list: [Buffer.from([1]), { deep: Buffer.from([2, 3]), text: "between" }, null],
        date: new Date(0).toISOString(),
        last: Buffer.from([4, 5, 6, 7]),
      };

      const atServer = nextEvent(socket, "nested");
      const atClient = nextEvent(client, "nested");
      client.emit("nested", nested, Buffer.from([9]));
      socket.emit("nested", nested, Buffer.from([9]));

      expect(await atServer).toEqual([expected, Buffer.from([9])]);
      expect(await atClient).toEqual([expected, Buffer.from([9])]);
      expect(nested.list[0]).toEqual(Buffer.from([1]));
      expect(nested.date).toBeInstanceOf(Date);
    });

    it(`keeps binary and text events in order over ${travel}`, async () => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel });
      const orderOf = (emitter: object): Promise<unknown[]> => {
        const seen: unknown[] = [];
        return new Promise((resolve) => {
          (emitter as typeof client).on("step", (step: number | Buffer) => {
            seen.push(typeof step === "number" ? step : step[0]);
            if (seen.length === 100) resolve(seen);
          });
        });
      };

      const atServer = orderOf(socket);
      const atClient = orderOf(client);
      for (let step = 0; step < 100; step++) {
        const value = step % 3 === 0 ? step : Buffer.from([step]);
        client.emit("step", value);
        socket.emit("step", value);
      }

      const expected = Array.from({ length: 100 }, (_, index) => index);
      expect(await atServer).toEqual(expected);
      expect(await atClient).toEqual(expected);
    });
  }

  it("broadcasts binary to clients of both transports", async () => {
    const server = await startServer();
    const clients = await Promise.all(travels.map((travel) => connectClient(server.url, { travel })));

    const received = Promise.all(clients.map((client) => nextEvent(client, "bytes")));
    server.io.emit("bytes", { data: new Uint8Array(memory, 60, 4) });

    for (const args of await received) expect(args).toEqual([{ data: Buffer.from([60, 61, 62, 63]) }]);
  });

  it("serves a client that wants its binary as base64 text", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { forceBase64: true });
    socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));

    expect(await client.emitWithAck("echo", { data: Buffer.from(memory) })).toEqual({ data: Buffer.from(memory) });
  });

  it("sends ArrayBuffers to a client that asked for them", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { travel: "polling" });
    client.io.engine.binaryType = "arraybuffer";

    // The poll that waits was sent with the old type; the answer is read with the new one.
    const received = nextEvent<[ArrayBuffer]>(client, "bytes");
    socket.emit("bytes", Buffer.from([1, 2, 3]));

    const [bytes] = await received;
    expect(bytes).toBeInstanceOf(ArrayBuffer);
    expect(Buffer.from(bytes)).toEqual(Buffer.from([1, 2, 3]));
  });

  it("sends what toJSON() gives, binary included", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const value = { hidden: true, toJSON: () => ({ shown: Buffer.from([1]) }) };

    const received = nextEvent(client, "value");
    socket.emit("value", value);

    expect(await received).toEqual([{ shown: Buffer.from([1]) }]);
  });

  it("carries ten binary values in one event", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const values = Array.from({ length: 10 }, (_, index) => Buffer.from([index]));
    socket.on("echo", (...args: unknown[]) => {
      const reply = args.pop() as (value: unknown) => void;
      reply(args);
    });

    expect(await client.emitWithAck("echo", ...values)).toEqual(values);
  });

  it("closes the connection of a client that announces more than ten", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const failed = nextEvent<[Error]>(socket, "error");
    const ended = nextEvent(socket, "disconnect");

    client.emit("flood", ...Array.from({ length: 11 }, (_, index) => Buffer.from([index])));

    expect((await failed)[0].message).toBe("too many attachments");
    expect((await ended)[0]).toBe("forced close");
  });
});
