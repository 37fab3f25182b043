import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { Server } from "@plugboard/server";
import { RawPollingPeer } from "@plugboard/testkit";
import { Decoder, Encoder } from "socket.io-parser";
import { connectPair } from "../../support/connect-client.js";
import { eventsUntilFence } from "../../support/events-until-fence.js";
import { interopSuite } from "../../support/interop-suite.js";
import { rawWebSocket } from "../../support/raw-session.js";

const reserved = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

interopSuite("the server", ({ startServer }) => {
  it("keeps the operators of a socket as they were made", async () => {
    const server = await startServer();
    const ends = [await connectPair(server), await connectPair(server), await connectPair(server)];
    const [first, second, third] = ends.map(({ socket }) => socket);
    void second?.join("a");
    void third?.join(["a", "b"]);
    const seen = ends.map(({ client }) => eventsUntilFence(client));

    const base = first?.to("a");
    base?.to("nobody");
    base?.except("b").emit("without b");
    base?.emit("all of a");
    const flagged = first?.local.compress(false);
    flagged?.volatile.compress(true);
    const exception = first?.except("b");
    exception?.except("a").emit("nobody");
    exception?.emit("all but b");
    first?.emit("own");
    server.io.emit("fence");

    const events = (await Promise.all(seen)).map((list) => list.map(([name]) => name));
    expect(events).toEqual([["own"], ["without b", "all of a", "all but b"], ["all of a"]]);
    expect(Reflect.get(flagged ?? {}, "flags")).toEqual({ local: true, compress: false });
  });

  it("throws at once, with this message, when a reserved name is emitted", async () => {
    const server = await startServer();
    const { socket } = await connectPair(server);

    for (const name of reserved) {
      const error = new Error(`"${name}" is a reserved event name`);
      expect(() => socket.emit(name)).toThrow(error);
      expect(() => socket.broadcast.emit(name)).toThrow(error);
      expect(() => server.io.emit(name)).toThrow(error);
      expect(() => server.io.to("room").emit(name)).toThrow(error);
    }
    for (const name of ["connect", "connection", "new_namespace"]) {
      expect(() => server.io.serverSideEmit(name)).toThrow(new Error(`"${name}" is a reserved event name`));
    }
  });

  it("resolves the question to a socket of another server with one answer, not a list", async () => {
    const server = await startServer();
    const { client } = await connectPair(server);
    client.on("question", (reply: (...args: unknown[]) => void) => reply("answer", "dropped"));
    const { adapter } = server.io.of("/");
    const fetchLocal = adapter.fetchSockets.bind(adapter);
    adapter.fetchSockets = async (options) =>
      (await fetchLocal(options)).map(({ id, handshake, rooms, data }) => ({ id, handshake, rooms: [...rooms], data }));

    const [remote] = await server.io.fetchSockets();

    expect(remote).not.toHaveProperty("conn");
    expect(await remote?.timeout(5000).emitWithAck("question")).toBe("answer");
  });

  it("leaves no acknowledgement behind that a broadcast waited for in vain", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const asked = new Promise((resolve) => client.on("question", resolve));

    await expect(server.io.timeout(50).emitWithAck("question")).rejects.toMatchObject({ responses: [] });
    await asked;

    expect(Reflect.get(socket, "acks")).toHaveProperty("size", 0);
  });
});

describe("a server of ours", () => {
  it("shows its first client to listeners of the engine, behind its own", async () => {
    const log: string[] = [];
    class LoggingDecoder extends Decoder {
      constructor() {
        super();
        log.push("client");
      }
    }
    const io = new Server(0, { parser: { Encoder, Decoder: LoggingDecoder } });
    io.engine.on("connection", () => log.push("listener"));
    onTestFinished(() => io.close());
    await once(io.httpServer, "listening");
    const { port } = (io.httpServer as unknown as { address(): AddressInfo }).address();

    await new RawPollingPeer(`http://127.0.0.1:${port}/socket.io/`).open();

    expect(log).toEqual(["client", "listener"]);
  });

  it("lets its process end when it closes", async () => {
    const child = fork(fileURLToPath(new URL("./fixtures/closing-process.mjs", import.meta.url)));
    onTestFinished(() => void child.kill("SIGKILL"));
    const exited = once(child, "exit");
    const [port] = (await once(child, "message")) as [number];
    const url = `http://127.0.0.1:${port}/socket.io/`;
    const polling = new RawPollingPeer(url);
    await polling.open();
    // A connection that is kept alive would hold the server until its client lets go of it.
    const pending = polling.poll({ headers: { connection: "close" } }).catch(() => undefined);
    const upgrading = new RawPollingPeer(url);
    const { sid } = await upgrading.open();
    const probe = rawWebSocket(`${url}?EIO=4&transport=websocket&sid=${sid}`);
    await probe.opened();
    probe.send("2probe");
    await probe.next();
    const websocket = rawWebSocket(`${url}?EIO=4&transport=websocket`);
    await websocket.next();
    websocket.send("40");
    await websocket.next();

    child.send("close");

    expect(await exited).toEqual([0, null]);
    await pending;
  });
});
