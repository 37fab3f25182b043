import { expect, it, vi } from "vitest";
import { connectPair, singleTransports, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";

const megabyte = 1_000_000;

interopSuite("large messages", ({ startServer }) => {
  for (const travel of travels) {
    it(`carries a megabyte of text both ways over ${travel}`, async () => {
      const server = await startServer({ maxHttpBufferSize: 2 * megabyte });
      const { client, socket } = await connectPair(server, { travel });
      const text = "0123456789".repeat(megabyte / 10);
      const echo = (value: string, reply: (value: string) => void): void => reply(value);
      client.on("echo", echo);
      socket.on("echo", echo);

      expect((await client.emitWithAck("echo", text)) === text).toBe(true);
      expect((await socket.emitWithAck("echo", text)) === text).toBe(true);
    });

    it(`carries a megabyte of binary both ways over ${travel}`, async () => {
      const server = await startServer({ maxHttpBufferSize: 2 * megabyte });
      const { client, socket } = await connectPair(server, { travel });
      const bytes = Buffer.from(Uint8Array.from({ length: megabyte }, (_, index) => index % 251));
      const echo = (value: Buffer, reply: (value: Buffer) => void): void => reply(value);
      client.on("echo", echo);
      socket.on("echo", echo);

      expect(bytes.equals(await client.emitWithAck("echo", bytes))).toBe(true);
      expect(bytes.equals(await socket.emitWithAck("echo", bytes))).toBe(true);
    });

    it(`sends five megabytes to a client in one event over ${travel}, whatever it may receive`, async () => {
      const server = await startServer({ maxHttpBufferSize: 1000 });
      const { client, socket } = await connectPair(server, { travel });
      const text = "x".repeat(5 * megabyte);

      const received = nextEvent<[string]>(client, "huge");
      socket.emit("huge", text);

      expect((await received)[0] === text).toBe(true);
    });
  }

  for (const transport of singleTransports) {
    it(`takes a message of exactly maxHttpBufferSize over ${transport}`, async () => {
      const server = await startServer({ maxHttpBufferSize: 1000 });
      const { client, socket } = await connectPair(server, { travel: transport });
      const text = "x".repeat(1000 - '42["fits",""]'.length);

      const received = nextEvent(socket, "fits");
      client.emit("fits", text);

      expect(await received).toEqual([text]);
      expect(client.connected).toBe(true);
    });
  }

  it("closes a websocket that sends one byte more and never delivers the message", async () => {
    const server = await startServer({ maxHttpBufferSize: 1000 });
    const { client, socket } = await connectPair(server);
    const delivered = vi.fn();
    socket.on("large", delivered);

    const atServer = nextEvent<[string, Error]>(socket, "disconnect");
    const atClient = nextEvent<[string, { context: { code: number } }]>(client, "disconnect");
    client.emit("large", "x".repeat(1001 - '42["large",""]'.length));

    const [reason, description] = await atServer;
    expect(reason).toBe("transport error");
    expect(description.message).toMatch(/Max payload size exceeded/);
    const [clientReason, details] = await atClient;
    expect(clientReason).toBe("transport close");
    expect(details.context.code).toBe(1009);
    expect(delivered).not.toHaveBeenCalled();
  });

  it("answers 413 to a polling client that sends one byte more and never delivers the message", async () => {
    const server = await startServer({ maxHttpBufferSize: 1000 });
    const { client, socket } = await connectPair(server, { travel: "polling" });
    const delivered = vi.fn();
    socket.on("large", delivered);

    const atServer = nextEvent(socket, "disconnect");
    const atClient = nextEvent<[string, { description: number }]>(client, "disconnect");
    client.emit("large", "x".repeat(1001 - '42["large",""]'.length));

    const [reason, error] = await atClient;
    expect(reason).toBe("transport error");
    expect(error.description).toBe(413);
    // The session outlives the refused request; it is the client that says goodbye.
    expect((await atServer)[0]).toBe("transport close");
    expect(delivered).not.toHaveBeenCalled();
  });

  it("splits what a polling client has to say into requests that fit", async () => {
    const server = await startServer({ maxHttpBufferSize: 1000 });
    const { client, socket } = await connectPair(server, { travel: "polling" });
    const received: number[] = [];
    socket.on("part", (index: number) => received.push(index));

    for (let index = 0; index < 20; index++) client.emit("part", index, "x".repeat(300));
    client.emit("last");
    await nextEvent(socket, "last");

    expect(received).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });
});
