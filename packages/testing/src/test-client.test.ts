import { Agent, createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server } from "@plugboard/server";
import { afterEach, describe, expect, it } from "vitest";
import { closeTestClients, testClient } from "./test-client.js";

afterEach(closeTestClients);

describe("testClient", () => {
  it("joins the main namespace, or the one named, with or without a slash", async () => {
    const io = new Server();
    for (const name of ["/", "/chat", "/a b?c=d#e"]) io.of(name);
    expect((await testClient(io)).nsp).toBe("/");
    for (const [given, name] of [
      ["/chat", "/chat"],
      ["chat", "/chat"],
      ["/a b?c=d#e", "/a b?c=d#e"],
    ] as const) {
      const client = await testClient(io, given);
      expect([client.nsp, client.connected]).toEqual([name, true]);
      expect(io.of(name).sockets.has(client.id as string)).toBe(true);
    }
  });

  it("has a connection of its own for each client", async () => {
    const io = new Server();
    const [one, two] = await Promise.all([testClient(io), testClient(io)]);
    expect(one.io).not.toBe(two.io);
    expect(io.engine.clientsCount).toBe(2);
  });

  it("finds the path that the server was given", async () => {
    const io = new Server({ path: "/live/" });
    expect((await testClient(io)).connected).toBe(true);
    await expect(testClient(io, "/", { path: "/elsewhere" })).rejects.toMatchObject({ status: 404 });
  });

  it("sends what it is given: auth, query, headers and cookies", async () => {
    const io = new Server();
    const accepted = once(io, "connection");
    await testClient(io, "/", {
      auth: async () => ({ token: "abc" }),
      query: { room: "7" },
      extraHeaders: { "X-One": "1", "X-Two": "1", Cookie: "first=1" },
      headers: { "X-Two": "2" },
      cookies: { second: "a b" },
    });
    const [{ handshake }] = (await accepted) as [{ handshake: Record<string, Record<string, unknown>> }];
    expect(handshake["auth"]).toEqual({ token: "abc" });
    expect(handshake["query"]).toMatchObject({ room: "7" });
    expect(handshake["headers"]).toMatchObject({ "x-one": "1", "x-two": "2", cookie: "first=1; second=a%20b" });
  });

  it("leaves the options it is given as they are", async () => {
    const options = Object.freeze({ headers: Object.freeze({ a: "1" }), cookies: Object.freeze(["b=2"]) });
    await testClient(new Server(), "/", options);
    expect(options).toEqual({ headers: { a: "1" }, cookies: ["b=2"] });
  });

  it("can come from any address", async () => {
    const io = new Server();
    const accepted = once(io, "connection");
    await testClient(io, "/", { remoteAddress: "198.51.100.4" });
    const [{ handshake }] = (await accepted) as [{ handshake: { address: string } }];
    expect(handshake.address).toBe("198.51.100.4");
    await expect(testClient(io, "/", { remoteAddress: "nowhere" })).rejects.toThrow(TypeError);
  });

  it("counts as secure on a server with TLS", async () => {
    const io = new Server(createSecureServer());
    const accepted = once(io, "connection");
    await testClient(io);
    const [{ handshake }] = (await accepted) as [{ handshake: { secure: boolean } }];
    expect(handshake.secure).toBe(true);
  });

  it("uses an agent that it is given, with any server", async () => {
    const httpServer = createServer().listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    const io = new Server(httpServer);
    let connections = 0;
    class CountingAgent extends Agent {
      override createConnection(...[options, callback]: Parameters<Agent["createConnection"]>) {
        connections++;
        const { port } = httpServer.address() as AddressInfo;
        return super.createConnection({ ...options, host: "127.0.0.1", port }, callback);
      }
    }
    const agent = new CountingAgent();
    await testClient(io, "/", { agent });
    expect(connections).toBeGreaterThan(0);
    await closeTestClients();
    agent.destroy();
    await io.close();
  });

  it("resolves at once with autoConnect: false, so that nothing is missed that comes right at the start", async () => {
    const io = new Server();
    io.on("connection", (socket) => socket.emit("welcome", 1));
    const client = await testClient(io, "/", { autoConnect: false });
    expect(client.active).toBe(false);
    const welcomed = new Promise((resolve) => client.on("welcome", resolve));
    client.connect();
    expect(await welcomed).toBe(1);
  });

  it("rejects with what a middleware says", async () => {
    const io = new Server();
    io.use((_socket, next) => next(Object.assign(new Error("not you"), { data: { code: 7 } })));
    await expect(testClient(io)).rejects.toMatchObject({ message: "not you", data: { code: 7 } });
    await expect(testClient(io, "/unknown")).rejects.toThrow("Invalid namespace");
  });

  it("rejects with status and body of an HTTP refusal over polling", async () => {
    const io = new Server({ allowRequest: (_request, decide) => decide("closed on Sundays", false) });
    await expect(testClient(io)).rejects.toMatchObject({
      status: 403,
      body: '{"code":4,"message":"closed on Sundays"}',
    });
  });

  it("rejects with the status of an HTTP refusal over websocket", async () => {
    const httpServer = createServer();
    httpServer.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n"));
    const io = new Server(httpServer, { transports: ["polling"] });
    await expect(testClient(io, "/", { transports: ["websocket"] })).rejects.toMatchObject({ status: 401 });
  });

  it("does not try again what was refused, and is not heard of any more", async () => {
    const io = new Server();
    let attempts = 0;
    io.use((_socket, next) => next(new Error(String(++attempts))));
    await expect(testClient(io, "/", { reconnectionDelay: 1 })).rejects.toThrow("1");
    while (io.engine.clientsCount > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(attempts).toBe(1);
  });

  it("rejects when the connection is lost before the namespace is joined", async () => {
    const io = new Server();
    io.use((socket) => socket.conn.close());
    await expect(testClient(io)).rejects.toThrow("the connection was lost: transport close");
  });

  it("rejects once the server is closed", async () => {
    const io = new Server();
    await testClient(io);
    await closeTestClients();
    await io.close();
    await expect(testClient(io)).rejects.toMatchObject({ message: "xhr poll error" });
  });
});

describe("closing", () => {
  it.each(["polling", "websocket"])("is done when the server knows, over %s", async (transport) => {
    const io = new Server();
    const reasons: string[] = [];
    io.on("connection", (socket) => socket.on("disconnect", (reason) => reasons.push(reason)));
    const [one, two] = await Promise.all([1, 2].map(() => testClient(io, "/", { transports: [transport] })));
    await one?.[Symbol.asyncDispose]();
    expect([one?.active, two?.connected]).toEqual([false, true]);
    expect(reasons).toEqual(["client namespace disconnect"]);
    await closeTestClients();
    expect(reasons.length).toBe(2);
    expect(io.engine.clientsCount).toBe(0);
    await closeTestClients();
  });
});
