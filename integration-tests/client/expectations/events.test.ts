import * as msgpackParser from "socket.io-msgpack-parser";
import { expect, it } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { clientOnlySuite, clientSuite, singleTransports } from "../support/client-suite.js";
import { messagesAtServer, recorded } from "../support/observe.js";

type Reply = (...answer: unknown[]) => void;

clientOnlySuite("listeners", ({ open, openManager }) => {
  it("are added and removed under every name there is for it", () => {
    const emitter = openManager("http://localhost", { autoConnect: false }) as unknown as Record<
      string,
      (event?: string, listener?: () => void) => unknown
    >;
    const calls: string[] = [];
    const listener = (): void => void calls.push("called");
    const call = (method: string, ...args: [string?, (() => void)?]): unknown => emitter[method]?.(...args);

    for (const add of ["on", "addEventListener", "once"]) {
      for (const remove of ["off", "removeListener", "removeAllListeners", "removeEventListener"]) {
        expect(call(add, "event", listener)).toBe(emitter);
        expect(call("hasListeners", "event")).toBe(true);
        expect(call(remove, "event", listener)).toBe(emitter);
        expect(call("hasListeners", "event")).toBe(false);
      }
    }
    call("emit", "event");
    expect(calls).toEqual([]);
  });

  it("are called in order, once or each time, and see what others add from the next event on", () => {
    const manager = openManager("http://localhost", { autoConnect: false });
    const calls: unknown[] = [];
    const emitter = manager as unknown as {
      on(event: string, listener: (...args: unknown[]) => void): void;
      once(event: string, listener: (...args: unknown[]) => void): void;
      emit(event: string, ...args: unknown[]): void;
    };
    for (const event of ["plain", "constructor", "__proto__", "toString"]) {
      emitter.once(event, (value) => {
        calls.push(["once", value]);
        emitter.on(event, () => calls.push(["late"]));
      });
      emitter.on(event, (value) => calls.push(["each", value]));

      emitter.emit(event, 1);
      expect(calls.splice(0)).toEqual([
        ["once", 1],
        ["each", 1],
      ]);
      emitter.emit(event, 2);
      expect(calls.splice(0)).toEqual([["each", 2], ["late"]]);
    }
  });

  it("may be the same several times, and are removed one at a time, or all", () => {
    const socket = open("http://localhost", { autoConnect: false });
    const listener = (): void => {};

    socket.on("event", listener).on("event", listener).once("event", listener);
    socket.off("event", listener);
    expect(socket.listeners("event")).toHaveLength(2);
    socket.off("event");
    expect(socket.listeners("event")).toHaveLength(0);
    socket.on("event", listener).on("other", listener);
    socket.off();
    expect([socket.hasListeners("event"), socket.hasListeners("other")]).toEqual([false, false]);
  });

  it("need not be there for errors", () => {
    const socket = open("http://localhost", { autoConnect: false });
    const emitter = socket.io as unknown as { emit(event: string, error: Error): unknown };

    expect(() => emitter.emit("error", new Error("nobody listens"))).not.toThrow();
  });
});

clientSuite("events", ({ client, startServer, open, connect, connectPair }) => {
  it("are sent by send() under the name 'message', and received in the same way", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const received = nextEvent(peer, "message");

    expect(socket.send("a", 1)).toBe(socket);
    expect(await received).toEqual(["a", 1]);
  });

  it("carry null for what JSON has not", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const received = nextEvent(peer, "event");

    socket.emit("event", undefined, () => {}, NaN, { nothing: undefined, list: [undefined] });

    expect(await received).toEqual([null, null, null, { list: [null] }]);
  });

  it("are refused, and leave nothing behind, when they cannot be encoded", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const received = nextEvent(peer, "event");

    expect(() => socket.emit("event", 1n)).toThrow(TypeError);
    expect(() => socket.emit("event", circular)).toThrow();
    socket.emit("event", "good");

    expect(await received).toEqual(["good"]);
  });

  it("are answered once, whatever the listener does", async () => {
    const server = await startServer();
    const messages = messagesAtServer(server);
    const { socket, peer } = await connectPair(server);
    socket.on("question", (reply: Reply) => {
      reply(1);
      reply(2);
    });

    expect(await peer.emitWithAck("question")).toBe(1);
    const fence = nextEvent(peer, "fence");
    socket.emit("fence");
    await fence;
    expect(messages).toEqual(["0", "30[1]", '2["fence"]']);
  });

  it("go on coming after a listener has thrown, on the same connection", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, { reconnection: false });
    const uncaught = nextUncaught();
    const disconnects = recorded(socket, "disconnect");
    socket.on("bad", () => {
      throw new Error("thrown by a listener");
    });
    const good = nextEvent(socket, "good");

    peer.emit("bad");
    peer.emit("good");

    expect(await uncaught).toEqual(new Error("thrown by a listener"));
    await good;
    expect(disconnects).toEqual([]);
  });

  it("join with credentials, or without any, as they are given", async () => {
    const server = await startServer();
    const messages = messagesAtServer(server);
    const options = [{}, { auth: {} }, { auth: { a: 1 } }, { auth: (give: (data: object) => void) => give({ b: 2 }) }];
    for (const option of options) await connect(server.url, option);

    expect(messages).toEqual(["0", "0{}", '0{"a":1}', '0{"b":2}']);
  });

  it.each(singleTransports)("travel through another parser, over %s", async (travel) => {
    const server = await startServer({ parser: msgpackParser });
    const { socket, peer } = await connectPair(server, { travel, parser: msgpackParser });
    peer.on("echo", (value: unknown, reply: Reply) => reply(value));
    const value = { text: "ü", bytes: Buffer.from([1, 2]), list: [null, 1.5] };

    expect(await socket.emitWithAck("echo", value)).toEqual(value);
    const answered = nextEvent(socket, "event");
    peer.emit("event", Buffer.from([3]));
    expect(await answered).toEqual([Buffer.from([3])]);
  });

  if (client.ours) {
    it("join with what an async function gives (unlike the reference, which takes callbacks alone)", async () => {
      const server = await startServer();
      const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
      open(server.url, { auth: (async () => ({ token: 1 })) as never });

      expect((await accepted)[0].handshake.auth).toEqual({ token: 1 });
    });

    it("tell why an async function gave no credentials (unlike the reference: unhandled)", async () => {
      const server = await startServer();
      const socket = open(server.url, { auth: (() => Promise.reject(new Error("logged out"))) as never });

      expect(await nextEvent(socket, "connect_error")).toEqual([new Error("logged out")]);
    });
  }
});

/** Resolves with the next exception that nobody catches, which then does not end the test run. */
function nextUncaught(): Promise<unknown> {
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  return new Promise((resolve) => {
    process.once("uncaughtException", (error) => {
      for (const listener of others) process.on("uncaughtException", listener);
      resolve(error);
    });
  });
}
