import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { quietPort } from "../support/quiet-port.js";
import { clientsOn, NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const INTERNAL = { status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" };
const LIMITED = {
  status: "error",
  code: "SIO_RATE_LIMITED",
  message: expect.any(String),
  data: { retryAfterMs: expect.any(Number) },
};
const tooLong = (event: string): unknown => ({
  status: "error",
  code: "SIO_HANDLER_TIMEOUT",
  message: `"${event}" took too long`,
});

describe.each(NEST_RUNS)("handling of events on Nest $version with $platform", ({ version, platform }) => {
  let app: NestProcess;
  /** Of the application with rate limits, and of the one that has taken over a port. */
  let limitedUrl: string;
  let reloadedUrl: string;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "handling", { PLATFORM: platform, OWN_PORT: String(await quietPort()) });
    [, limitedUrl = "", reloadedUrl = ""] = /limited (\S+) reloaded (\S+)/.exec(app.output()) ?? [];
  });
  afterAll(async () => {
    expect(app.output()).not.toContain("unhandledRejection");
    await app.kill();
  });

  const [{ open, connect }] = bothClients as [StockOrOurs];

  it("throws where the socket at work is read and there is none", () => {
    expect(app.output()).toContain("outside: no socket is at work here");
  });

  it("refuses sockets beyond the limit of a throttler by connect_error, and requests as ever", async () => {
    for (let i = 0; i < 2; i++) await connect(`${app.url}/doors`);
    const [error] = await nextEvent<[Error & { data: unknown }]>(open(`${app.url}/doors`), "connect_error");
    expect(error.data).toMatchObject({ code: "SIO_RATE_LIMITED", data: { retryAfterMs: expect.any(Number) } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${app.url}/limited`)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("limits handshakes by the address that the platform says", async () => {
    const handshake = async (address: string): Promise<number> => {
      const headers = { "x-forwarded-for": address };
      return (await fetch(`${limitedUrl}/socket.io/?EIO=4&transport=polling`, { headers })).status;
    };
    expect([await handshake("192.0.2.1"), await handshake("192.0.2.1"), await handshake("192.0.2.1")]).toEqual([
      200, 200, 429,
    ]);
    expect(await handshake("192.0.2.2")).toBe(200);
    // Of the network of one customer.
    expect([await handshake("2001:db8::1"), await handshake("2001:db8::2"), await handshake("2001:db8::3")]).toEqual([
      200, 200, 429,
    ]);
    expect(await handshake("2001:db8:1::1")).toBe(200);
  });

  it("limits events by the address that the platform says", async () => {
    const count = async (address: string, n: number): Promise<unknown> => {
      const client = await connect(limitedUrl, { extraHeaders: { "x-forwarded-for": address } });
      return client.emitWithAck("count", n);
    };
    expect(await count("192.0.2.3", 1)).toBe(1);
    const client = await connect(limitedUrl, { extraHeaders: { "x-forwarded-for": "192.0.2.3" } });
    expect(await client.emitWithAck("count", 2)).toBe(2);
    expect(await client.emitWithAck("count", 3)).toEqual(LIMITED);
    expect(await count("192.0.2.4", 4)).toBe(4);
  });

  it("handles as many events of a socket at the same time as the option says", async () => {
    const client = await connect(limitedUrl, { extraHeaders: { "x-forwarded-for": "192.0.2.5" } });
    expect(await Promise.all([1, 2, 3].map(() => client.emitWithAck("hold")))).toEqual([1, 1, 1]);
  });

  it("takes a port over from an application that was not closed, and keeps it when that one closes", async () => {
    const client = await connect(reloadedUrl);
    expect(await client.emitWithAck("generation")).toBe(2);
  });

  describe.each(clientsOn({ version, platform }))("$name", ({ connect, open }) => {
    const ask = async (event: string, ...args: unknown[]): Promise<unknown> => {
      const client = await connect(app.url);
      return client.timeout(8000).emitWithAck(event, ...args);
    };

    it("answers for a handler that never does, after its own time or that of the server", async () => {
      expect(await ask("never")).toEqual(tooLong("never"));
      expect(await ask("forgotten")).toEqual(tooLong("forgotten"));
      const hasty = await connect(app.url, { path: "/hasty" });
      expect(await hasty.emitWithAck("never")).toEqual(tooLong("never"));
    });

    it("does not stop a handler that has taken too long, and drops its answer", async () => {
      const client = await connect(app.url);
      expect(await client.emitWithAck("late")).toEqual(tooLong("late"));
      const wentOn = nextEvent(client, "went on");
      client.emit("go on");
      await wentOn;
    });

    it("disconnects a client whose handleConnection never ends, and says why", async () => {
      const client = open(`${app.url}/stuck`);
      const disconnected = nextEvent(client, "disconnect");
      expect(await nextEvent(client, "exception")).toMatchObject([{ code: "SIO_HANDLER_TIMEOUT" }]);
      expect((await disconnected)[0]).toBe("io server disconnect");
    });

    it("handles the events of a serial gateway one after the other, per socket", async () => {
      const client = await connect(`${app.url}/serial`);
      const gates = client.io.socket("/gates");
      await nextEvent(gates, "connect");
      const answers = Promise.all([client.emitWithAck("hold"), ...[1, 2].map((n) => client.emitWithAck("next", n))]);
      // Another socket has turns of its own.
      const other = await connect(`${app.url}/serial`);
      expect(await other.emitWithAck("next", 5)).toBe(5);
      expect(await client.emitWithAck("hurry")).toEqual(tooLong("hurry"));
      expect(await gates.emitWithAck("open")).toEqual(["hold begins"]);
      expect(await answers).toEqual([undefined, 1, 2]);
      expect(await client.emitWithAck("next", 3)).toBe(3);
      // What was told that it came too late is not done any more.
      expect(await gates.emitWithAck("lines")).toEqual(["hold begins", "hold ends", "next 1", "next 2", "next 3"]);
    });

    it("disconnects a client that has too many events waiting for their turn", async () => {
      const client = await connect(`${app.url}/serial`);
      const disconnected = nextEvent(client, "disconnect");
      client.emit("hold");
      for (let i = 0; i < 25; i++) client.emit("next", i);
      expect((await disconnected)[0]).toBe("io server disconnect");
    });

    it("handles as many events of a name at the same time as its handler says, and others beside", async () => {
      const client = await connect(`${app.url}/lanes`);
      const gates = client.io.socket("/gates");
      await nextEvent(gates, "connect");
      const pairs = Promise.all([1, 2, 3].map(() => client.emitWithAck("pair")));
      expect(await client.emitWithAck("free")).toBe("free");
      await gates.emitWithAck("open");
      expect(await pairs).toEqual([2, 2, 2]);
    });

    it("answers events that nobody hears", async () => {
      expect(await ask("nobody", 1)).toEqual({
        status: "error",
        code: "SIO_UNKNOWN_EVENT",
        message: 'nobody handles "nobody"',
      });
      expect(await ask("by-hand")).toBe("heard");
    });

    it("answers with what a filter returns, by the acknowledgement or as an event", async () => {
      expect(await ask("buy", 7)).toEqual({ code: "OUT_OF_STOCK", sku: 7, event: "buy", wantsAck: true });
      expect(await ask("buy", "broken")).toEqual(INTERNAL);
      const client = await connect(app.url);
      client.emit("buy", 8);
      expect(await nextEvent(client, "exception")).toEqual([
        { code: "OUT_OF_STOCK", sku: 8, event: "buy", wantsAck: false },
      ]);
    });

    it("lets filters and interceptors acknowledge", async () => {
      expect(await ask("range")).toEqual({ range: "7" });
      const client = await connect(app.url);
      expect(await client.emitWithAck("early", 1, 2)).toEqual({ early: "early", args: [1, 2], id: client.id });
    });

    it("tells providers which socket is at work: in guards, hooks and handlers", async () => {
      const clients = await Promise.all([connect(app.url), connect(app.url)]);
      const answers = await Promise.all(clients.map((client) => client.emitWithAck("who")));
      expect(answers).toEqual(clients.map(({ id }) => ({ id, data: { guard: id, connection: id } })));
    });

    it("gives a room of the socket, by how its name begins", async () => {
      const client = await connect(app.url);
      await client.emitWithAck("sit");
      expect(await client.emitWithAck("table")).toEqual({ table: "table:7", any: "zoo", none: true });
    });

    it("tells handleDisconnect why a client has left", async () => {
      const watcher = await connect(`${app.url}/reason`);
      const leaving = await connect(`${app.url}/reason`);
      const left = nextEvent(watcher, "left");
      leaving.disconnect();
      expect(await left).toEqual(["client namespace disconnect"]);

      const other = await connect(app.url);
      const id = other.id;
      const main = await connect(app.url);
      const gone = new Promise((resolve) => {
        main.on("left", (...args: unknown[]) => args[0] === id && resolve(args));
      });
      other.disconnect();
      expect(await gone).toEqual([id, "client namespace disconnect"]);
    });

    it("limits events by each throttler that applies", async () => {
      const client = await connect(`${app.url}/throttled`);
      const times = async (event: string): Promise<unknown[]> => {
        const answers: unknown[] = [];
        for (let n = 1; n <= 4; n++) answers.push(await client.emitWithAck(event, n));
        return answers;
      };
      expect(await times("few")).toEqual([1, 2, LIMITED, LIMITED]);
      expect(await times("some")).toEqual([1, 2, 3, LIMITED]);
      expect(await times("many")).toEqual([1, 2, 3, 4]);
    });

    it.each(["featured-1", "quiet"])("asks middlewares of forFeature before a socket joins /%s", async (name) => {
      const [error] = await nextEvent<[Error]>(open(`${app.url}/${name}`), "connect_error");
      expect(error.message).toBe("the word?");
      const client = await connect(`${app.url}/${name}`, { auth: { word: "sesame" } });
      if (name === "featured-1") expect(await client.emitWithAck("order")).toEqual(["feature", "gateway"]);
    });
  });
});
