import { expect, it, onTestFinished, vi } from "vitest";
import { nextEvent } from "../../support/next-event.js";
import { type ClientManager, clientOnlySuite, clientSuite } from "../support/client-suite.js";

clientOnlySuite("the lookup function", ({ client }) => {
  const { io } = client;
  const quiet = { autoConnect: false };

  it("takes options alone where the page says which server it is", () => {
    vi.stubGlobal("location", { protocol: "http:", host: "page.test", hostname: "page.test", port: "" });
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const [alone, withUrl] = [io({ path: "/own", ...quiet }), io("http://page.test/a", { path: "/own", ...quiet })];

    expect(alone.io.opts).toMatchObject({ path: "/own" });
    expect(alone.io).toBe(withUrl.io);
  });

  it("says what is wrong with a URL that names no server, where there is no page", () => {
    const meaningless = [undefined, "/namespace", "localhost:3000", ""];
    for (const url of meaningless) {
      const look = (): unknown => io(url as string, quiet);
      // The published client makes something up.
      if (client.ours) expect(look).toThrow(/invalid URL/);
      else expect(look).not.toThrow();
    }
  });

  it.each([{ forceNew: true }, { "force new connection": true }, { multiplex: false }])(
    "makes a manager of its own for %o, and keeps it to that",
    (option) => {
      const url = `http://${Object.keys(option)[0]?.replaceAll(" ", "-")}.test`;
      const own = io(`${url}/a`, { ...quiet, ...option });
      const shared = io(`${url}/b`, quiet);

      expect(shared.io).not.toBe(own.io);
      expect(io(`${url}/c`, quiet).io).toBe(shared.io);
    },
  );

  it("keeps the place of a manager that was not opened yet", () => {
    const first = io("http://unopened.test", quiet);
    const second = io("http://unopened.test", quiet);

    expect(second.io).not.toBe(first.io);
    expect(io("http://unopened.test/other", quiet).io).toBe(first.io);
  });

  it("takes an empty path for none", () => {
    const empty = io("http://empty-path.test/a", { ...quiet, path: "" });

    expect(empty.io.opts.path).toBe("/socket.io");
    expect(io("http://empty-path.test/b", quiet).io).toBe(empty.io);
  });

  it("takes the path of a URL for the namespace, as it is written", () => {
    const namespaceOf = (url: string): unknown => Reflect.get(io(url, { ...quiet, forceNew: true }), "nsp");

    expect(namespaceOf("http://localhost")).toBe("/");
    expect(namespaceOf("http://localhost/?a=b#c")).toBe("/");
    expect(namespaceOf("http://localhost/nsp/")).toBe("/nsp/");
    expect(namespaceOf("http://localhost/a%20b/c?d")).toBe("/a%20b/c");
  });

  it("keeps the options it was given, where they may be changed", () => {
    const options = { ...quiet, query: { token: "1" } };
    const socket = io("http://options.test", options);

    expect(socket.io.opts).toBe(options);
    expect(socket.io.opts.path).toBe("/socket.io");
  });

  it("shows the query of the URL in the options", () => {
    const socket = io("http://query.test/?token=1", quiet);

    expect(socket.io.opts.query).toMatchObject({ token: "1" });
  });

  it("refuses a transport that does not exist", () => {
    expect(() => io("http://localhost", { forceNew: true, transports: ["carrier pigeon"] })).toThrow(TypeError);
  });
});

clientOnlySuite("a manager", ({ client, openManager }) => {
  const settings = {
    reconnection: [true, false],
    reconnectionAttempts: [Infinity, 3],
    reconnectionDelay: [1000, 7],
    reconnectionDelayMax: [5000, 70],
    randomizationFactor: [0.5, 0.1],
    timeout: [20_000, 500],
  } as const;

  it.each(Object.entries(settings))("tells and takes %s", (name, [standard, other]) => {
    const manager = openManager("http://localhost", { autoConnect: false });
    const setting = (manager as unknown as Record<string, (value?: unknown) => unknown>)[name];

    expect(setting?.call(manager)).toBe(standard);
    expect(setting?.call(manager, other)).toBe(manager);
    expect(setting?.call(manager)).toBe(other);
    const created = openManager("http://localhost", { autoConnect: false, [name]: other }) as unknown as typeof manager;
    expect((created as unknown as Record<string, () => unknown>)[name]?.()).toBe(other);
  });

  it("is made with options alone", () => {
    const manager = new client.Manager({ host: "example.test", autoConnect: false } as object) as ClientManager;

    expect(manager.opts).toMatchObject({ host: "example.test" });
    expect(manager.engine).toBeUndefined();
  });

  it("calls back with the error when it cannot open, and then tries nothing by itself", async () => {
    const manager = openManager("http://localhost:1", { autoConnect: false, timeout: 1000 });
    const attempts: unknown[] = [];
    manager.on("reconnect_attempt", (attempt) => attempts.push(attempt));

    const error = await new Promise((resolve) => manager.open(resolve));

    expect(error).toBeInstanceOf(Error);
    expect(manager._reconnecting).toBeFalsy();
    expect(attempts).toEqual([]);
  });
});

clientSuite("options that are changed between attempts", ({ startServer, connect }) => {
  it("count from the next attempt on", async () => {
    const server = await startServer();
    const socket = await connect(server.url, {
      reconnectionDelay: 1,
      query: { token: "first" },
      extraHeaders: { "x-token": "first" },
    });
    const { opts } = socket.io;
    socket.io.on("reconnect_attempt", () => {
      opts.query = { token: "second" };
      opts.extraHeaders = { "x-token": "second" };
      opts.transports = ["polling"];
    });
    const accepted = nextEvent<[{ handshake: { query: object; headers: object } }]>(server.io, "connection");

    socket.io.engine.close();

    const [{ handshake }] = await accepted;
    expect(handshake.query).toMatchObject({ token: "second", transport: "polling" });
    expect(handshake.headers).toMatchObject({ "x-token": "second" });
  });

  it("give way to a query in the URL", async () => {
    const server = await startServer();
    const accepted = nextEvent<[{ handshake: { query: object } }]>(server.io, "connection");
    const socket = await connect(`${server.url}/?token=url`, { query: { token: "option", more: "1" } });
    onTestFinished(() => {
      socket.disconnect();
    });

    const { query } = (await accepted)[0].handshake;
    expect(query).toMatchObject({ token: "url" });
    expect(query).not.toHaveProperty("more");
  });
});
