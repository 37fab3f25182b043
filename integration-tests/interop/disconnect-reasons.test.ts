import type { Socket as TcpSocket } from "node:net";
import { expect, it } from "vitest";
import { connectPair, travels, type ClientSocket } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropServer, InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

interface Ends {
  readonly io: InteropServer;
  readonly client: ClientSocket;
  readonly socket: InteropSocket;
}
interface Ending {
  readonly title: string;
  readonly end: (ends: Ends) => unknown;
  readonly atServer: string;
  readonly atClient: string | RegExp;
}

const endings: Ending[] = [
  {
    title: "the server disconnects the socket",
    end: ({ socket }) => socket.disconnect(),
    atServer: "server namespace disconnect",
    atClient: "io server disconnect",
  },
  {
    title: "the server disconnects the socket and closes the connection",
    end: ({ socket }) => socket.disconnect(true),
    atServer: "server namespace disconnect",
    atClient: "io server disconnect",
  },
  {
    title: "the server disconnects all sockets",
    end: ({ io }) => io.disconnectSockets(),
    atServer: "server namespace disconnect",
    atClient: "io server disconnect",
  },
  {
    title: "the server disconnects all sockets and closes the connections",
    end: ({ io }) => io.disconnectSockets(true),
    atServer: "server namespace disconnect",
    atClient: "io server disconnect",
  },
  {
    title: "the client disconnects",
    end: ({ client }) => client.disconnect(),
    atServer: "client namespace disconnect",
    atClient: "io client disconnect",
  },
  {
    title: "the client closes the connection below",
    end: ({ client }) => client.io.engine.close(),
    atServer: "transport close",
    atClient: "forced close",
  },
  {
    title: "the server closes the connection below",
    end: ({ socket }) => socket.conn.close(),
    atServer: "forced close",
    atClient: "transport close",
  },
  {
    title: "the server closes",
    end: ({ io }) => io.close(),
    atServer: "server shutting down",
    atClient: /^transport (close|error)$/,
  },
  {
    title: "the client sends what is no packet",
    end: ({ client }) => client.io.engine.write("no packet"),
    atServer: "forced close",
    atClient: "transport close",
  },
  {
    title: "the client sends binary that was not announced",
    end: ({ client }) => client.io.engine.write(Buffer.from([1])),
    atServer: "forced close",
    atClient: "transport close",
  },
];

interopSuite("disconnect reasons", ({ startServer }) => {
  for (const travel of travels) {
    it.each(endings)(
      `says on both sides what happened when $title, over ${travel}`,
      async ({ end, atServer, atClient }) => {
        const server = await startServer();
        const { client, socket } = await connectPair(server, { travel });
        const left = nextEvent(socket, "disconnect");
        const leaving = nextEvent(socket, "disconnecting");
        const gone = nextEvent<[string]>(client, "disconnect");

        end({ io: server.io, client, socket });

        expect((await leaving)[0]).toBe(atServer);
        expect((await left)[0]).toBe(atServer);
        const [reason] = await gone;
        if (typeof atClient === "string") expect(reason).toBe(atClient);
        else expect(reason).toMatch(atClient);
        expect(socket.connected).toBe(false);
        expect(socket.disconnected).toBe(true);
        expect(server.io.sockets.sockets.size).toBe(0);
      },
    );

    it(`breaks off when a packet has the wrong state for it, over ${travel}`, async () => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel });
      const left = nextEvent<[string]>(socket, "disconnect");
      const gone = nextEvent(client, "disconnect");

      // A second CONNECT to a namespace that is joined already.
      client.io.engine.write("0");

      expect((await left)[0]).toMatch(/^forced (server )?close$/);
      expect((await gone)[0]).toBe("transport close");
    });

    it(`tells every socket of a connection over ${travel}`, async () => {
      const server = await startServer();
      const { client, socket } = await connectPair(server, { travel });
      const accepted = nextEvent<[InteropSocket]>(server.io.of("/other"), "connection");
      const otherClient = client.io.socket("/other");
      const [other] = await accepted;
      if (!otherClient.connected) await nextEvent(otherClient, "connect");
      const reasons = [socket, other].map((end) => nextEvent(end, "disconnect"));
      const clientReasons = [client, otherClient].map((end) => nextEvent(end, "disconnect"));

      socket.disconnect(true);

      for (const [reason] of await Promise.all(reasons)) expect(reason).toBe("server namespace disconnect");
      for (const [reason] of await Promise.all(clientReasons)) expect(reason).toBe("io server disconnect");
    });
  }

  it.each([
    { how: "ends", cut: (tcp: TcpSocket) => tcp.end() },
    { how: "is reset", cut: (tcp: TcpSocket) => tcp.resetAndDestroy() },
  ])("says `transport close` on both sides when the TCP connection of a websocket $how", async ({ cut }) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const left = nextEvent(socket, "disconnect");
    const gone = nextEvent(client, "disconnect");

    const transport = client.io.engine.transport as unknown as { ws: { _socket: TcpSocket } };
    cut(transport.ws._socket);

    expect((await left)[0]).toBe("transport close");
    expect((await gone)[0]).toBe("transport close");
  });

  it("says `ping timeout` of a client that does not answer", async () => {
    const server = await startServer({ pingInterval: 50, pingTimeout: 2000 });
    const { client, socket } = await connectPair(server);
    const left = nextEvent(socket, "disconnect");
    const gone = nextEvent(client, "disconnect");

    client.io.engine.transport.send = () => undefined;

    expect((await left)[0]).toBe("ping timeout");
    expect((await gone)[0]).toBe("transport close");
  });

  it.each(travels)("keeps a client that does answer for many pings over %s", async (travel) => {
    const server = await startServer({ pingInterval: 20, pingTimeout: 5000 });
    const { client, socket } = await connectPair(server, { travel });
    let beats = 0;
    await new Promise<void>((resolve) => {
      socket.conn.on("heartbeat", () => {
        if (++beats === 5) resolve();
      });
    });

    expect(client.connected).toBe(true);
    expect(socket.connected).toBe(true);
  });
});
