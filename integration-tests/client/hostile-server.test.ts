// What a server may say without ending the process of the client: an uncaught error would fail the whole run.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { io } from "../../packages/client/src/node.js";
import type { Socket } from "../../packages/client/src/contract.js";

const cleanups: Array<() => unknown> = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const handshake = { sid: "s", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6 };

/** A client of a server that says these frames after its handshake. */
async function connectTo(frames: readonly string[], first: unknown = handshake): Promise<Socket> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (connection) => {
    connection.send(`0${JSON.stringify(first)}`);
    for (const frame of frames) connection.send(frame);
  });
  const { port } = server.address() as AddressInfo;
  return open(`http://127.0.0.1:${port}`, ["websocket"], () => {
    for (const connection of server.clients) connection.terminate();
    server.close();
  });
}

function open(url: string, transports: string[], stop: () => unknown): Socket {
  const socket = io(url, { transports, reconnection: false, forceNew: true });
  cleanups.push(stop, () => socket.disconnect());
  return socket;
}

const next = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

describe("a client of a hostile server", () => {
  it.each([
    ["no session id", { ...handshake, sid: "" }],
    ["a session id that no URL can hold", { ...handshake, sid: "\ud800" }],
    ["upgrades that are no list", { ...handshake, upgrades: 5 }],
    ["upgrades that are a text", { ...handshake, upgrades: "websocket" }],
    ["a time that is no number", { ...handshake, pingInterval: { valueOf: 1, toString: 1 } }],
    ["a time that is a text", { ...handshake, pingInterval: "25000" }],
    ["a time beyond all timers", { ...handshake, pingInterval: 1e300 }],
    ["a time before now", { ...handshake, pingInterval: -50_000 }],
    ["no times", { sid: "s" }],
    ["a limit that is no number", { ...handshake, maxPayload: { valueOf: 1, toString: 1 } }],
    ["nothing", null],
  ])("takes a handshake with %s for an error of the server", async (_, first) => {
    const [error] = await next(await connectTo([], first), "connect_error");
    expect(error).toMatchObject({ message: "server error", code: "parser error" });
  });

  it.each([["5"], ['{"toString":1}'], ["[]"]])("connects although its recovery secret is %s", async (pid) => {
    const socket = await connectTo([`40{"sid":"a","pid":${pid}}`]);
    await next(socket, "connect");
    expect(socket.recovered).toBe(false);
  });

  it.each([['{"message":{"toString":1}}'], ['{"toString":1}'], [`{"message":${"[".repeat(9000)}${"]".repeat(9000)}}`]])(
    "hears of a refusal whose reason is no text: %.40s",
    async (data) => {
      const [error] = await next(await connectTo([`44${data}`]), "connect_error");
      expect(error).toMatchObject({ message: "" });
    },
  );

  it("goes on after an event with more arguments than a function can take", async () => {
    const socket = await connectTo(['40{"sid":"a"}', `42["many"${",1".repeat(200_000)}]`, '42["next"]']);
    socket.on("many", () => expect.unreachable());
    await next(socket, "next");
  });

  it("keeps one pong, however many pings a server sends that takes none", async () => {
    const pings = 1000;
    let posts = 0;
    const server = createServer((request, response) => {
      // The handshake, then pings for ever more; nothing that is posted is taken.
      if (request.method === "POST") posts++;
      else if (request.url?.includes("sid=")) response.end(Array.from({ length: pings }, () => "2").join("\x1e"));
      else response.end(`0${JSON.stringify(handshake)}`);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const socket = open(`http://127.0.0.1:${port}`, ["polling"], () => {
      server.closeAllConnections();
      server.close();
    });
    const { engine } = socket.io;
    let heard = 0;
    await new Promise<void>((resolve) => {
      engine.on("ping", () => {
        if (++heard === 3 * pings) resolve();
      });
    });
    expect(posts).toBe(1);
    expect(engine.writeBuffer.filter(({ type }) => type === "pong").length).toBe(1);
  });

  it("takes a 101 that it did not ask for as a failure", async () => {
    const server = createServer();
    server.on("request", ({ socket }) =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const socket = open(`http://127.0.0.1:${port}`, ["polling"], () => server.close());
    expect((await next(socket, "connect_error"))[0]).toMatchObject({ message: "xhr poll error" });
  });
});
