import { createServer, get, type IncomingMessage, type Server as HttpServer } from "node:http";
import { once } from "node:events";
import { Server, type ServerOptions, type Socket } from "@plugboard/server";
import { closeTestClients, memoryAgent, testClient } from "@plugboard/testing";
import session, { type Session } from "express-session";
import { io as connectStockClient } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

/** A client as the tests of this file need it, ours or the published one. */
interface Client {
  readonly id?: string | undefined;
  readonly recovered: boolean;
  readonly io: { readonly engine: { readonly transport: { readonly name: string }; close(): unknown } };
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
  disconnect(): unknown;
}

interface Options {
  readonly transports?: string[];
  readonly auth?: object;
  readonly headers?: Record<string, string>;
  readonly reconnectionDelay?: number;
  readonly withCredentials?: boolean;
}

interface Kind {
  readonly name: string;
  connect(io: Server, namespace?: string, options?: Options): Promise<Client>;
}

const ours: Kind = {
  name: "testClient",
  connect: (io, namespace, options) => testClient(io, namespace, options as object),
};

const stock: Kind = {
  name: "the published client with memoryAgent",
  async connect(io, namespace = "/", { headers = {}, ...options } = {}) {
    const agent = memoryAgent(io);
    const client = connectStockClient(`http://localhost${namespace}`, {
      ...options,
      extraHeaders: headers,
      forceNew: true,
      // Its types ask for the name of an agent of a former time.
      agent: agent as unknown as string,
    });
    onTestFinished(() => {
      client.disconnect();
      agent.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      client.on("connect", resolve);
      client.on("connect_error", reject);
    });
    return client as unknown as Client;
  },
};

const travels: Array<{ travel: string; transports: string[]; last: string }> = [
  { travel: "polling", transports: ["polling"], last: "polling" },
  { travel: "websocket", transports: ["websocket"], last: "websocket" },
  { travel: "the upgrade", transports: ["polling", "websocket"], last: "websocket" },
];

function serve(options: Partial<ServerOptions> = {}): Server {
  const io = new Server(options);
  onTestFinished(() => io.close());
  return io;
}

async function travelled({ io: { engine } }: Client, last: string): Promise<void> {
  while (engine.transport.name !== last) await new Promise((resolve) => setImmediate(resolve));
}

afterEach(closeTestClients);

describe.each([ours, stock])("$name", ({ connect }) => {
  describe.each(travels)("over $travel", ({ transports, last }) => {
    let io: Server;
    beforeEach(() => {
      io = serve({ maxHttpBufferSize: 5_000_000 });
      io.on("connection", (socket) => {
        socket.on("echo", (...args: unknown[]) => (args.pop() as (...args: unknown[]) => void)(...args));
        socket.on("call me", () => socket.emit("called", socket.conn.transport.name));
      });
    });

    it("asks, and is answered and called", async () => {
      const client = await connect(io, "/", { transports });
      await travelled(client, last);
      expect(await client.emitWithAck("echo", { a: [1, "zwei €"] })).toEqual({ a: [1, "zwei €"] });
      const called = new Promise((resolve) => client.on("called", resolve));
      client.emit("call me");
      expect(await called).toBe(last);
      expect(io.httpServer.listening).toBe(false);
    });

    it("carries bytes", async () => {
      const client = await connect(io, "/", { transports });
      const bytes = Buffer.from([0, 1, 127, 128, 255]);
      expect(await client.emitWithAck("echo", { deep: [bytes] })).toEqual({ deep: [bytes] });
      await travelled(client, last);
      expect(await client.emitWithAck("echo", { deep: [bytes] })).toEqual({ deep: [bytes] });
    });

    it("carries a megabyte, of text and of bytes, there and back", async () => {
      const client = await connect(io, "/", { transports });
      await travelled(client, last);
      const text = "0123456789abcde€".repeat(65_536);
      expect(await client.emitWithAck("echo", text)).toBe(text);
      const bytes = Buffer.alloc(1024 * 1024, "bytes");
      expect(bytes.equals((await client.emitWithAck("echo", bytes)) as Buffer)).toBe(true);
    });

    it("brings its headers and cookies to the handshake", async () => {
      let handshake: Socket["handshake"] | undefined;
      io.on("connection", (socket) => (handshake = socket.handshake));
      await connect(io, "/", { transports, headers: { cookie: "a=1", "x-tenant": "acme" }, auth: { token: "t" } });
      expect(handshake).toMatchObject({
        auth: { token: "t" },
        headers: { cookie: "a=1", "x-tenant": "acme" },
        address: "127.0.0.1",
      });
    });

    it("is refused by a middleware, with data", async () => {
      io.of("/members").use((socket, next) => {
        if (socket.handshake.auth["token"] === "good") return next();
        next(Object.assign(new Error("members only"), { data: { retry: false } }));
      });
      await expect(connect(io, "/members", { transports, auth: { token: "bad" } })).rejects.toMatchObject({
        message: "members only",
        data: { retry: false },
      });
      await connect(io, "/members", { transports, auth: { token: "good" } });
    });

    it("is refused at the level of HTTP", async () => {
      const closed = serve({ allowRequest: (_request, decide) => decide("no", false) });
      await expect(connect(closed, "/", { transports })).rejects.toThrow(/^(xhr poll|websocket) error$/);
    });

    it("joins namespaces that come into being by being asked for", async () => {
      io.of(/^\/room-\d+$/).on("connection", (socket) => socket.on("where", (answer) => answer(socket.nsp.name)));
      const client = await connect(io, "/room-42", { transports });
      expect(await client.emitWithAck("where")).toBe("/room-42");
    });

    it("recovers what it missed while the connection was lost", async () => {
      const recovering = serve({ connectionStateRecovery: {} });
      recovering.on("connection", (socket) => void socket.join("news"));
      const client = await connect(recovering, "/", { transports, reconnectionDelay: 1 });
      await travelled(client, last);
      const news: unknown[] = [];
      const all = new Promise<void>((resolve) => client.on("news", (item) => news.push(item) === 3 && resolve()));
      recovering.to("news").emit("news", 1);
      while (news.length < 1) await new Promise((resolve) => setImmediate(resolve));
      const [serverSide] = recovering.sockets.sockets.values();
      serverSide?.on("disconnecting", () => void recovering.to("news").emit("news", 2));
      serverSide?.on("disconnect", () => void recovering.to("news").emit("news", 3));
      const { id } = client;
      client.io.engine.close();
      await all;
      expect(news).toEqual([1, 2, 3]);
      expect([client.recovered, client.id]).toEqual([true, id]);
    });

    it("is one of a hundred", async () => {
      const clients = await Promise.all(Array.from({ length: 100 }, () => connect(io, "/", { transports })));
      expect(io.engine.clientsCount).toBe(100);
      const heard = clients.map((client) => new Promise((resolve) => client.on("all", resolve)));
      io.emit("all", "of you");
      expect(new Set(await Promise.all(heard))).toEqual(new Set(["of you"]));
      const answers = await Promise.all(clients.map((client, i) => client.emitWithAck("echo", i)));
      expect(answers).toEqual(clients.map((_client, i) => i));
    });
  });

  it("reaches the server it was made for, of two in the process", async () => {
    const servers = ["one", "two"].map((name) => {
      const io = serve();
      io.on("connection", (socket) => socket.on("who", (answer) => answer(name)));
      return io;
    });
    const clients = await Promise.all(servers.map((io) => connect(io)));
    expect(await Promise.all(clients.map((client) => client.emitWithAck("who")))).toEqual(["one", "two"]);
    await servers[0]?.close();
    expect(await clients[1]?.emitWithAck("who")).toBe("two");
  });
});

describe("testClient", () => {
  it("reaches a server that listens on a port, beside the clients that come over it", async () => {
    const httpServer = createServer().listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    const io = new Server(httpServer);
    onTestFinished(() => io.close());
    const { port } = httpServer.address() as { port: number };
    const outsider = connectStockClient(`http://127.0.0.1:${port}`, { forceNew: true });
    onTestFinished(() => void outsider.disconnect());
    await new Promise<void>((resolve) => outsider.on("connect", resolve));
    const insider = await testClient(io);
    const heard = [outsider, insider].map((client) => new Promise((resolve) => client.on("news", resolve)));
    io.emit("news", "for all");
    expect(await Promise.all(heard)).toEqual(["for all", "for all"]);
  });

  it.each(travels)("shows its cookie to the session middleware of the engine, over $travel", async ({ transports }) => {
    const httpServer: HttpServer = createServer();
    const io = new Server(httpServer);
    onTestFinished(() => io.close());
    const store = new session.MemoryStore();
    io.engine.use(session({ secret: "s", resave: false, saveUninitialized: true, store }));
    type Request = Socket["request"] & { sessionID: string; session: Session & { visits?: number } };
    io.use(({ request }, next) => {
      const { session } = request as Request;
      session.visits = (session.visits ?? 0) + 1;
      session.save(() => next());
    });
    io.on("connection", (socket) => {
      const { session, sessionID } = socket.request as Request;
      socket.emit("visits", session.visits, sessionID);
    });
    const visit = async (cookies: string[]): Promise<unknown[]> => {
      const client = await testClient(io, "/", { transports, cookies, autoConnect: false });
      const told = new Promise<unknown[]>((resolve) => client.on("visits", (...args: unknown[]) => resolve(args)));
      client.connect();
      return told;
    };
    const [firstVisits, firstId] = await visit([]);
    const cookies = await newCookies(httpServer);
    const [secondVisits, secondId] = await visit(cookies);
    const [thirdVisits, thirdId] = await visit(cookies);
    expect([firstVisits, secondVisits, thirdVisits]).toEqual([1, 1, 2]);
    expect(thirdId).toBe(secondId);
    expect(secondId).not.toBe(firstId);
  });
});

/** The cookies that the server gives to somebody who comes without. */
async function newCookies(httpServer: HttpServer): Promise<string[]> {
  const agent = memoryAgent(httpServer);
  const request = get("http://localhost/socket.io/?EIO=4&transport=polling", { agent });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response.headers["set-cookie"] ?? [];
}
