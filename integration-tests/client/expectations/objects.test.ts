// What programs do with the objects of the client besides calling them.
import { expect, it, onTestFinished } from "vitest";
import { io, Manager, NodeWebSocket, Socket } from "../../../packages/client/src/node.js";
import { io as websocketOnly } from "../../../packages/client/src/websocket-node.js";
import { serve } from "../../support/serve.js";

type ClientSocket = ReturnType<typeof io>;

async function serveEcho(): Promise<string> {
  const server = await serve();
  for (const namespace of ["/", "/made"]) {
    server.io.of(namespace).on("connection", (socket) => {
      socket.on("echo", (value, ack) => ack(value));
    });
  }
  return server.url;
}

const next = (socket: ClientSocket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

function disconnectAtEnd(socket: ClientSocket): ClientSocket {
  onTestFinished(() => void socket.disconnect());
  return socket;
}

it("works behind a proxy, which is what frameworks with reactive state put around a socket", async () => {
  const socket = disconnectAtEnd(io(await serveEcho(), { forceNew: true, autoConnect: false }));
  const proxy = new Proxy(socket, {});
  const connected = next(proxy, "connect");
  proxy.connect();
  await connected;
  expect(proxy.active).toBe(true);
  expect(await proxy.timeout(5000).emitWithAck("echo", 1)).toBe(1);
});

it.each([
  ["by hand", Socket],
  ["of a class that extends it", class extends Socket {}],
])("connects a socket made %s", async (_, Made) => {
  const manager = new Manager(await serveEcho());
  const socket = disconnectAtEnd(new Made(manager, "/made") as ClientSocket);
  await next(socket, "connect");
  expect(await socket.emitWithAck("echo", 2)).toBe(2);
});

it("connects although a listener of the manager throws at every packet", async () => {
  // Thrown again by itself, where it would end the process.
  const thrown: unknown[] = [];
  const previous = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of previous) process.on("uncaughtException", listener);
  });
  const socket = disconnectAtEnd(io(await serveEcho(), { forceNew: true }));
  socket.io.on("packet", () => {
    throw new Error("thrown by a listener");
  });
  await next(socket, "connect");
  await new Promise((resolve) => setImmediate(resolve));
  expect(thrown).toEqual([new Error("thrown by a listener")]);
});

it("stays connected when it is disconnected and connected again as the manager opens", async () => {
  const socket = disconnectAtEnd(io(await serveEcho(), { forceNew: true, autoConnect: false }));
  const events: string[] = [];
  for (const event of ["open", "close", "reconnect_attempt"] as const)
    socket.io.on(event, () => void events.push(event));
  socket.io.once("open", () => void socket.disconnect().connect());
  socket.connect();
  await next(socket, "connect");
  expect(await socket.emitWithAck("echo", 3)).toBe(3);
  expect(events).toEqual(["open", "close", "open"]);
});

it("refuses transports that are given in both ways", () => {
  const options = { transports: ["websocket"], transportImplementations: [NodeWebSocket], autoConnect: false };
  const manager = new Manager("http://localhost", options);
  expect(() => manager.open()).toThrow(TypeError);
});

it("settles the promise of a volatile event that was dropped when the connection is lost", async () => {
  const socket = disconnectAtEnd(io(await serveEcho(), { forceNew: true, transports: ["polling"], upgrade: false }));
  await next(socket, "connect");
  socket.emit("echo", 4);
  const dropped = socket.volatile.emitWithAck("echo", 5);
  socket.io.engine.close();
  await expect(dropped).rejects.toThrow("socket has been disconnected");
});

it("calls the callback of a message that comes without options", async () => {
  const socket = disconnectAtEnd(io(await serveEcho(), { forceNew: true }));
  await next(socket, "connect");
  await new Promise<void>((resolve) => {
    (socket.io.engine.write as (message: string, callback: () => void) => void).call(socket.io.engine, "2[]", resolve);
  });
});

it.each([
  ["the client", io],
  ["the client without polling", websocketOnly],
])("%s sends the bytes of a Blob in their place", async (_, connect) => {
  const socket = disconnectAtEnd(connect(await serveEcho(), { forceNew: true }));
  await next(socket, "connect");
  const first = socket.emitWithAck("echo", new Blob(["abc"]));
  const second = socket.emitWithAck("echo", "after");
  expect(Buffer.from(await first).toString()).toBe("abc");
  expect(await second).toBe("after");
});

it("sends a Blob that is still being read when the upgrade begins", async () => {
  const socket = disconnectAtEnd(io(await serveEcho(), { forceNew: true }));
  let read = (_bytes: ArrayBuffer): void => {};
  const blob = new Blob(["slow"]);
  const bytes = await blob.arrayBuffer();
  blob.arrayBuffer = () =>
    new Promise((resolve) => {
      read = resolve;
    });
  const upgraded = new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
  await next(socket, "connect");
  const echo = socket.emitWithAck("echo", blob);
  await upgraded;
  read(bytes);
  expect(Buffer.from(await echo).toString()).toBe("slow");
});
