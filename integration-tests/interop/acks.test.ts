import { expect, it, vi } from "vitest";
import { connectPair, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";

type Reply = (...args: unknown[]) => void;

interopSuite("acks", ({ startServer }) => {
  it.each(travels)("answers the callback of the client with every argument over %s", async (travel) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { travel });
    socket.on("sum", (a: number, b: number, reply: Reply) => reply(a + b, { of: [a, b] }, null));

    const answer = await new Promise<unknown[]>((resolve) => {
      client.emit("sum", 2, 3, (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([5, { of: [2, 3] }, null]);
  });

  it("answers the callback of the client without arguments", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.on("nothing", (reply: Reply) => reply());

    const answer = await new Promise<unknown[]>((resolve) => {
      client.emit("nothing", (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([]);
  });

  it("resolves emitWithAck of the client with the first argument", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.on("echo", (value: unknown, reply: Reply) => reply(value, "second"));

    expect(await client.emitWithAck("echo", { a: 1 })).toEqual({ a: 1 });
    expect(await client.timeout(5000).emitWithAck("echo", "in time")).toBe("in time");
  });

  it("matches many acks in flight to their callbacks, whatever the order of the answers", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const replies: (() => void)[] = [];
    socket.on("later", (value: number, reply: Reply) => {
      replies.unshift(() => reply(value));
      if (replies.length === 100) for (const answer of replies) answer();
    });

    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => client.emitWithAck("later", index)));

    expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it("tells the client that an ack did not come in time and survives its coming late", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const asked = nextEvent<[Reply]>(socket, "slow");
    const callback = vi.fn();

    const error: Error = await new Promise((resolve) => {
      client.timeout(20).emit("slow", (...args: unknown[]) => {
        callback(...args);
        resolve(args[0] as Error);
      });
    });
    (await asked)[0]("late");
    const after = nextEvent(client, "after");
    socket.emit("after");
    await after;

    expect(error.message).toBe("operation has timed out");
    expect(callback).toHaveBeenCalledOnce();
  });

  it("sends an ack once, however often the listener answers", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.on("twice", (reply: Reply) => {
      reply("first");
      reply("second");
      socket.emit("after");
    });
    const callback = vi.fn();

    const after = nextEvent(client, "after");
    client.emit("twice", callback);
    await after;

    expect(callback).toHaveBeenCalledExactlyOnceWith("first");
  });

  it.each(travels)("gets the answer of the client in a callback and in a promise over %s", async (travel) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { travel });
    client.on("question", (value: unknown, reply: Reply) => reply(value, "more"));

    const answer = await new Promise<unknown[]>((resolve) => {
      socket.emit("question", 1, (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([1, "more"]);
    expect(await socket.emitWithAck("question", 2)).toBe(2);
    expect(await socket.timeout(5000).emitWithAck("question", 3)).toBe(3);
  });

  it("puts null in front of an answer that came in time", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    client.on("question", (reply: Reply) => reply("a", "b"));

    const answer = await new Promise<unknown[]>((resolve) => {
      socket.timeout(5000).emit("question", (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([null, "a", "b"]);
  });

  it("tells the server that an ack did not come in time, in a callback and in a promise", async () => {
    const server = await startServer();
    const { socket } = await connectPair(server);

    const answer = await new Promise<unknown[]>((resolve) => {
      socket.timeout(20).emit("ignored", (...args: unknown[]) => resolve(args));
    });

    expect(answer).toHaveLength(1);
    expect(answer[0]).toBeInstanceOf(Error);
    expect((answer[0] as Error).message).toBe("operation has timed out");
    await expect(socket.timeout(20).emitWithAck("ignored")).rejects.toThrow("operation has timed out");
  });

  it("calls back once, with an error, after a timeout of zero even though the ack comes", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const asked = nextEvent<[Reply]>(client, "question");
    const callback = vi.fn();

    await new Promise<void>((resolve) => {
      socket.timeout(0).emit("question", (...args: unknown[]) => {
        callback(...args);
        resolve();
      });
    });
    (await asked)[0]("late");
    client.emit("after");
    await nextEvent(socket, "after");

    expect(callback).toHaveBeenCalledOnce();
    expect(callback.mock.calls[0]?.[0]).toBeInstanceOf(Error);
  });

  it("forgets the timeout after the emit that used it", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    client.on("question", (reply: Reply) => reply("answer"));

    await socket.timeout(5000).emitWithAck("question");
    const answer = await new Promise<unknown[]>((resolve) => {
      socket.emit("question", (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual(["answer"]);
  });

  it.each(travels)("carries binary in acks both ways over %s", async (travel) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { travel });
    const reverse = (bytes: Buffer, reply: Reply): void => reply({ reversed: Buffer.from(bytes).reverse() });
    client.on("reverse", reverse);
    socket.on("reverse", reverse);

    const expected = { reversed: Buffer.from([3, 2, 1]) };
    expect(await socket.emitWithAck("reverse", Buffer.from([1, 2, 3]))).toEqual(expected);
    expect(await client.emitWithAck("reverse", Buffer.from([1, 2, 3]))).toEqual(expected);
  });

  it("hands the ack of the client to socket middlewares and catch-all listeners", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const kinds: string[] = [];
    socket.onAny((_name, _value, reply: unknown) => kinds.push(typeof reply));
    socket.use((event, next) => {
      kinds.push(typeof event[2]);
      next();
    });
    socket.on("asked", (value: unknown, reply: Reply) => reply(value));

    expect(await client.emitWithAck("asked", 1)).toBe(1);
    expect(kinds).toEqual(["function", "function"]);
  });

  it("fails the pending emitWithAck of a client that loses the connection", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.on("never", () => socket.disconnect(true));

    await expect(client.emitWithAck("never")).rejects.toThrow("socket has been disconnected");
  });
});
