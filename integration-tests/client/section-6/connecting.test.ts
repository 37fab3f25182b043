import { expect, it } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite, singleTransports } from "../support/client-suite.js";
import { impatient, recorded, turns } from "../support/observe.js";
import { silentServer } from "../support/unreachable.js";

const peculiar = { "&a": "&=?a", "b?=": "c d", "ü€": "😀", plain: "%" };
const peculiarQuery = Object.entries(peculiar)
  .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
  .join("&");

clientSuite("handshakes", ({ startServer, open, connect }) => {
  it("19: takes a reply to its CONNECT without an id for an error", async () => {
    const server = await startServer();
    server.io.use((peer) => {
      // As servers of the second major version answer; the middleware never goes on.
      (peer.conn as unknown as { write(data: string): void }).write("0");
    });
    const socket = open(server.url, impatient);

    const [error] = await nextEvent<[Error]>(socket, "connect_error");

    expect(error).toBeInstanceOf(Error);
    expect(socket.connected).toBe(false);
    expect(socket.active).toBe(true);
  });

  it.each(singleTransports)("34: says 'timeout' when it takes too long to connect over %s", async (travel) => {
    const { url } = await silentServer();
    const socket = open(url, { travel, timeout: 5, reconnection: false });

    const [error] = await nextEvent<[Error]>(socket, "connect_error");

    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe("timeout");
    expect(socket.io.engine.readyState).toBe("closed");
  });

  for (const namespace of ["/", "/custom"]) {
    it(`37: sends a query from its options to ${namespace}, whatever is in it`, async () => {
      const server = await startServer();
      const accepted = nextEvent<[InteropSocket]>(server.io.of(namespace), "connection");

      open(server.url + namespace, { query: peculiar });

      expect((await accepted)[0].handshake.query).toMatchObject(peculiar);
    });

    it(`37: sends a query from its URL to ${namespace}, whatever is in it`, async () => {
      const server = await startServer();
      const accepted = nextEvent<[InteropSocket]>(server.io.of(namespace), "connection");

      open(`${server.url}${namespace}?${peculiarQuery}`);

      expect((await accepted)[0].handshake.query).toMatchObject(peculiar);
    });

    it(`38: sends what it authenticates with to ${namespace}, and never in the query`, async () => {
      const server = await startServer();
      const accepted = nextEvent<[InteropSocket]>(server.io.of(namespace), "connection");

      open(server.url + namespace, { auth: { token: "secret" } });

      const { auth, query } = (await accepted)[0].handshake;
      expect(auth).toEqual({ token: "secret" });
      expect(query).not.toHaveProperty("token");
    });

    it(`38: asks a function what to authenticate with at ${namespace}, each time it connects`, async () => {
      const server = await startServer();
      const seen: unknown[] = [];
      server.io.of(namespace).on("connection", (peer: InteropSocket) => {
        seen.push(peer.handshake.auth, Object.hasOwn(peer.handshake.query, "attempt"));
      });
      let attempt = 0;
      const socket = await connect(server.url + namespace, {
        ...impatient,
        auth: (give) => give({ attempt: ++attempt }),
      });
      const again = nextEvent(socket, "connect");

      socket.io.engine.close();
      await again;

      expect(seen).toEqual([{ attempt: 1 }, false, { attempt: 2 }, false]);
    });
  }

  it("39: says once why a middleware refused it, also when its engine is then closed by hand", async () => {
    const server = await startServer();
    server.io.use((_peer, next) => next(new Error("Auth failed (custom namespace)")));
    const socket = open(server.url, { ...impatient, reconnectionAttempts: 1 });
    const errors = recorded<[Error]>(socket, "connect_error");
    const connects = recorded(socket, "connect");

    await nextEvent(socket, "connect_error");
    socket.io.engine.close();
    await turns(20);

    expect(errors).toHaveLength(1);
    expect(errors[0]?.[0]).toBeInstanceOf(Error);
    expect(errors[0]?.[0].message).toBe("Auth failed (custom namespace)");
    expect(connects).toEqual([]);
    expect(socket.active).toBe(false);
  });

  it("39: shows the data of the error with which a middleware refused it", async () => {
    const server = await startServer();
    const refusal = Object.assign(new Error("no"), { data: { content: "more" } });
    server.io.of("/closed").use((_peer, next) => next(refusal));
    const socket = open(`${server.url}/closed`);

    const [error] = await nextEvent<[Error & { data: unknown }]>(socket, "connect_error");

    expect([error.message, error.data]).toEqual(["no", { content: "more" }]);
  });
});
