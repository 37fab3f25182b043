import { createServer } from "node:http";
import { expect, it } from "vitest";
import { connectPair, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

const impatient = { reconnection: true, reconnectionDelay: 10, reconnectionDelayMax: 50, randomizationFactor: 0 };

interopSuite("reconnection", ({ startServer }) => {
  for (const travel of travels) {
    it(`brings a client over ${travel} back to a server that was started again on the same port`, async () => {
      const first = await startServer();
      let authorised = 0;
      const { client, socket } = await connectPair(first, {
        travel,
        ...impatient,
        auth: (give) => give({ attempt: ++authorised }),
      });
      const gone = nextEvent<[string]>(client, "disconnect");

      await first.io.close();
      expect((await gone)[0]).toMatch(/^transport (close|error)$/);
      expect(client.active).toBe(true);
      const buffered = ["one", Buffer.from([2])];
      client.emit("while away", ...buffered);
      const second = await startServer({}, { port: first.port });
      const [again] = await nextEvent<[InteropSocket]>(second.io, "connection");
      const received = nextEvent(again, "while away");

      expect(await received).toEqual(buffered);
      expect(again.id).not.toBe(socket.id);
      expect(again.handshake.auth["attempt"]).toBeGreaterThan(1);
      expect(client.connected).toBe(true);
      expect(client.id).toBe(again.id);
    });

    it(`brings a client over ${travel} back to the same server when it listens again`, async () => {
      const server = await startServer();
      server.io.on("connection", (socket) => socket.on("echo", (value, reply) => reply(value)));
      const { client } = await connectPair(server, { travel, ...impatient });

      await server.io.close();
      const connected = nextEvent(client, "connect");
      const webServer = createServer();
      server.io.listen(webServer);
      webServer.listen(server.port, "127.0.0.1");
      await connected;

      expect(await client.emitWithAck("echo", "again")).toBe("again");
      expect(server.io.httpServer).toBe(webServer);
    });

    it(`brings a client over ${travel} back when the same web server listens again`, async () => {
      const server = await startServer();
      const { client } = await connectPair(server, { travel, ...impatient });

      await server.io.close();
      const connected = nextEvent(client, "connect");
      server.webServer.listen(server.port, "127.0.0.1");
      await connected;

      expect(server.io.sockets.sockets.size).toBe(1);
    });

    it(`brings a client over ${travel} back after the connection broke`, async () => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel, ...impatient });

      const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
      socket.conn.close();
      const [again] = await accepted;

      expect(again.id).not.toBe(socket.id);
      expect(socket.connected).toBe(false);
      const received = nextEvent(client, "hello");
      again.emit("hello");
      await received;
    });
  }

  it("keeps a client away that was told to leave", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, impatient);

    const gone = nextEvent(client, "disconnect");
    socket.disconnect(true);
    await gone;

    expect(client.active).toBe(false);
  });

  it("brings every namespace of a connection back", async () => {
    const server = await startServer();
    server.io.of("/other");
    const { client, socket } = await connectPair(server, impatient);
    const other = client.io.socket("/other");
    await nextEvent(other, "connect");

    const back = [nextEvent(client, "connect"), nextEvent(other, "connect")];
    socket.conn.close();
    await Promise.all(back);

    expect(server.io.sockets.sockets.size).toBe(1);
    expect(server.io.of("/other").sockets.size).toBe(1);
  });
});
