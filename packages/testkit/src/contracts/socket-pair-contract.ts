import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";

/** As much of `net.Socket` as HTTP, WebSocket and what is built on them use. */
export type SocketLike = Duplex &
  Pick<
    Socket,
    | "address"
    | "bytesRead"
    | "bytesWritten"
    | "destroySoon"
    | "localAddress"
    | "localPort"
    | "ref"
    | "remoteAddress"
    | "remoteFamily"
    | "remotePort"
    | "resetAndDestroy"
    | "setKeepAlive"
    | "setNoDelay"
    | "timeout"
    | "unref"
  > & { setTimeout(timeoutMs: number, listener?: () => void): unknown };

/** Two ends of one connection. That of the server may be half open, that of the client ends when the other does. */
export interface SocketPair {
  readonly client: SocketLike;
  readonly server: SocketLike;
}

/** What is written when the connection is gone fails with one of these, depending on how much the system knows by then. */
const GONE = /^(EPIPE|ECONNRESET)$/;
const CHUNK = Buffer.alloc(64 * 1024, 1);

/** Reads a socket to its end. */
async function readAll(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** Reads exactly so many bytes. */
async function readBytes(socket: Duplex, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    await once(socket, "readable");
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

/** Writes until the other end, which is not read, takes no more. Returns how many bytes it was. */
async function fill(socket: SocketLike): Promise<number> {
  let written = 0;
  let turnsWaited = 0;
  // The system takes what it can in its own time: it is full when nothing has moved for a while.
  while (turnsWaited < 50) {
    if (socket.writableNeedDrain) {
      turnsWaited++;
      await nextTurn();
    } else {
      turnsWaited = 0;
      socket.write(CHUNK);
      written += CHUNK.length;
    }
  }
  return written;
}

/** What two connected sockets owe those who write and read them, whatever is between them. */
export function socketPairContract(name: string, connect: () => Promise<SocketPair>): void {
  describe(`the contract of a pair of sockets, kept by ${name}`, () => {
    async function start(): Promise<SocketPair> {
      const pair = await connect();
      onTestFinished(() => {
        pair.client.destroy();
        pair.server.destroy();
      });
      return pair;
    }

    const directions = [
      ["client", "server"],
      ["server", "client"],
    ] as const;

    describe.each(directions)("from %s to %s", (from, to) => {
      it("carries bytes and texts in order, however they were written", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        sender.write("one ");
        sender.cork();
        sender.write(Buffer.from("two "));
        sender.write("dr\xe9i ", "latin1");
        sender.uncork();
        sender.end("vier €");
        expect((await readAll(receiver)).toString("latin1")).toBe(
          `one two dr\xe9i ${Buffer.from("vier €").toString("latin1")}`,
        );
      });

      it("hands nothing over while the writer still runs", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        let received = 0;
        receiver.on("data", (chunk: Buffer) => (received += chunk.length));
        sender.write("abc");
        expect(received).toBe(0);
        await until(() => received === 3);
      });

      it("hands over bytes of its own: what one end changes the other does not see", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        const bytes = Buffer.from("abc");
        await new Promise((resolve) => sender.write(bytes, resolve));
        bytes.fill("x");
        const received = await readBytes(receiver, 3);
        expect(received.toString()).toBe("abc");
        received.fill("y");
        expect(bytes.toString()).toBe("xxx");
      });

      it("counts bytes at both ends", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        sender.write("abc");
        sender.write("de");
        await readBytes(receiver, 5);
        expect([sender.bytesWritten, receiver.bytesRead]).toEqual([5, 5]);
      });

      it("takes no more than it can hold while nobody reads, and goes on when somebody does", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        receiver.pause();
        const written = await fill(sender);
        expect(sender.writableLength).toBeGreaterThan(0);
        const drained = once(sender, "drain");
        let received = 0;
        receiver.on("data", (chunk: Buffer) => (received += chunk.length)).resume();
        await drained;
        await until(() => received === written);
        expect(sender.writableLength).toBe(0);
      });

      it("delivers what was written before it ended, then the end", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        for (let i = 0; i < 20; i++) sender.write(CHUNK);
        sender.end();
        expect((await readAll(receiver)).length).toBe(20 * CHUNK.length);
      });

      it("tells of the end also when nobody reads", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        const ended = once(receiver, "end");
        sender.end();
        await ended;
      });

      it("closes soon when asked to, once all is written", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        sender.write(CHUNK);
        const closed = once(sender, "close");
        sender.destroySoon();
        expect(sender.destroyed).toBe(false);
        expect((await readAll(receiver)).length).toBe(CHUNK.length);
        await closed;
      });

      it("destroys one end without an error at the other, which sees an end", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        const errors: unknown[] = [];
        receiver.on("error", (error) => errors.push(error));
        const closed = once(sender, "close");
        const ended = readAll(receiver);
        sender.write("last words");
        await until(() => sender.writableLength === 0);
        sender.destroy();
        expect((await ended).toString()).toBe("last words");
        expect(await closed).toEqual([false]);
        expect(errors).toEqual([]);
      });

      it("tells an error with which it is destroyed at that end alone", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        const errors: unknown[] = [];
        receiver.on("error", (error) => errors.push(error));
        const ended = readAll(receiver);
        const failed = once(sender, "error");
        const closed = new Promise((resolve) => sender.once("close", (hadError: boolean) => resolve(hadError)));
        sender.destroy(new Error("enough"));
        expect(((await failed) as [Error])[0].message).toBe("enough");
        expect(await closed).toBe(true);
        await ended;
        expect(errors).toEqual([]);
      });

      it("tells a reset as an error at the other end", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        const failed = once(receiver, "error");
        receiver.resume();
        sender.resetAndDestroy();
        expect((await failed)[0]).toMatchObject({ code: "ECONNRESET", syscall: "read" });
        expect(receiver.destroyed).toBe(true);
      });

      it("fails a write that waits when the other end goes", async () => {
        const { [from]: sender, [to]: receiver } = await start();
        receiver.pause();
        await fill(sender);
        const failed = once(sender, "error");
        receiver.destroy();
        expect(((await failed)[0] as NodeJS.ErrnoException).code).toMatch(GONE);
        expect(sender.destroyed).toBe(true);
      });
    });

    it("leaves the server's end open when the client has ended, until that ends too", async () => {
      const { client, server } = await start();
      const answer = readAll(client);
      const closed = Promise.all([once(client, "close"), once(server, "close")]);
      client.end("question");
      expect((await readAll(server)).toString()).toBe("question");
      expect([server.writable, client.destroyed]).toEqual([true, false]);
      server.end("answer");
      expect((await answer).toString()).toBe("answer");
      await closed;
    });

    it("fails to write to a client that is gone", async () => {
      const { client, server } = await start();
      const failed = once(server, "error");
      client.destroy();
      await once(client, "close");
      // The first bytes may still go out before the news comes in.
      const timer = setInterval(() => server.write("anybody there?"), 1);
      const [error] = (await failed) as [NodeJS.ErrnoException];
      clearInterval(timer);
      expect(error.code).toMatch(GONE);
      expect(server.destroyed).toBe(true);
    });

    it("ends the client when the server has ended", async () => {
      const { client, server } = await start();
      const closed = Promise.all([once(client, "close"), once(server, "close")]);
      client.resume();
      server.resume();
      server.end();
      await closed;
      expect(client.writableEnded).toBe(true);
    });

    it("tells when there was no traffic for a while, once per while, and closes nothing", async () => {
      const { client, server } = await start();
      expect(client.timeout ?? 0).toBe(0);
      let timeouts = 0;
      const timedOut = new Promise((resolve) => client.setTimeout(30, () => resolve(timeouts++)));
      expect(client.timeout).toBe(30);
      await timedOut;
      expect(client.destroyed).toBe(false);
      const again = once(client, "timeout");
      server.write("traffic");
      await readBytes(client, 7);
      await again;
      expect(timeouts).toBe(1);
    });

    it("does not tell any more when the timeout was taken back", async () => {
      const { client, server } = await start();
      let timeouts = 0;
      const listener = (): void => void timeouts++;
      client.setTimeout(5, listener);
      client.setTimeout(0, listener);
      // What was set later at the other end fires later.
      await new Promise<void>((resolve) => server.setTimeout(20, resolve));
      expect(timeouts).toBe(0);
      expect(client.listenerCount("timeout")).toBe(0);
    });

    it("does not tell of time without traffic once it is closed", async () => {
      const { client, server } = await start();
      let timeouts = 0;
      client.setTimeout(5, () => timeouts++);
      client.destroy();
      client.setTimeout(5, () => timeouts++);
      await new Promise<void>((resolve) => server.setTimeout(20, resolve));
      expect(timeouts).toBe(0);
    });

    it("has addresses, each end those of the other", async () => {
      const { client, server } = await start();
      expect(server.remoteAddress).toBe("127.0.0.1");
      expect(server.remoteFamily).toBe("IPv4");
      expect(server.remotePort).toBeGreaterThan(0);
      expect([client.localAddress, client.localPort]).toEqual([server.remoteAddress, server.remotePort]);
      expect([client.remoteAddress, client.remotePort]).toEqual([server.localAddress, server.localPort]);
      expect(client.address()).toEqual({ address: "127.0.0.1", family: "IPv4", port: client.localPort });
    });

    it("takes the settings of a connection", async () => {
      const { client } = await start();
      expect(client.setKeepAlive(true, 1000)).toBe(client);
      expect(client.setNoDelay(true)).toBe(client);
      expect(client.unref().ref()).toBe(client);
    });

    it("runs the events of the server outside of the client's asynchronous context", async () => {
      const { client, server } = await start();
      const storage = new AsyncLocalStorage<string>();
      const seen = new Promise((resolve) => server.once("data", () => resolve(storage.getStore())));
      storage.run("of the client", () => client.write("x"));
      expect(await seen).toBeUndefined();
    });
  });
}
