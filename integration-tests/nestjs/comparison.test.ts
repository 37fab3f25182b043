import type { Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { quietPort } from "../support/quiet-port.js";
import { clientsOn, NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const ADAPTERS = ["anchor", "ours"] as const;
type Adapter = (typeof ADAPTERS)[number];

/** What the client waits for in vain, and what it gets from us. */
const UNANSWERED: readonly [why: string, event: string, payload: unknown, answer: unknown][] = [
  ["its handler returns nothing", "void", 1, undefined],
  ["its handler throws", "throw", 1, expect.objectContaining({ code: "SIO_INTERNAL_ERROR" })],
  ["its handler throws a WsException", "refuse", 1, expect.objectContaining({ message: "no" })],
  ["a guard refuses it", "guarded", 1, expect.objectContaining({ code: "SIO_FORBIDDEN" })],
  ["a pipe refuses it", "send", {}, expect.objectContaining({ code: "SIO_INVALID_PAYLOAD" })],
  ["its handler returns an event", "reply", 1, 1],
  ["a filter catches its error", "filtered", 1, { message: "caught by the filter" }],
  ["its handler never ends", "never", 1, expect.objectContaining({ code: "SIO_HANDLER_TIMEOUT" })],
  ["its handler is one of a pattern", "doc:open", 1, "a document"],
  ["nobody handles it", "nobody", 1, expect.objectContaining({ code: "SIO_UNKNOWN_EVENT" })],
];
/** Of those, what `acks: "compat"` does as the anchor. */
const COMPATIBLE = UNANSWERED.map(([, event]) => event).slice(0, 7);

const WHAT_IT_THROWS = [
  ["handleConnection throws", "throwing", "handleConnection threw"],
  ["handleConnection rejects", "rejecting", "handleConnection rejected"],
  ["handleDisconnect throws", "leaving", "handleDisconnect threw"],
  ["handleDisconnect rejects", "slowly-leaving", "handleDisconnect rejected"],
] as const;

const OURS_ALONE = [
  ["a module with options from providers", "SocketIoModule"],
  ["guards at connect", "UseConnectionGuards"],
  ["middlewares of a namespace that Nest makes", "SocketMiddleware"],
  ["filters that acknowledge", "AckExceptionFilter"],
  ["single arguments of an event", "MessageArg"],
  ["namespaces to be injected", "InjectNamespace"],
  ["clients for tests without a port", "createTestClient"],
  ["an indicator of health", "SocketIoHealthIndicator"],
  ["handlers of contracts", "WsEvent"],
] as const;

describe.each(NEST_RUNS)("@nestjs/platform-socket.io on Nest $version with $platform, beside ours,", (run) => {
  const { version, platform } = run;
  const apps = {} as Record<Adapter, NestProcess>;
  beforeAll(async () => {
    await prepareNest(version);
    const start = async (ADAPTER: string): Promise<NestProcess> =>
      startNest(version, "comparison", { PLATFORM: platform, ADAPTER, OWN_PORT: String(await quietPort()) });
    [apps.anchor, apps.ours] = (await Promise.all(ADAPTERS.map(start))) as [NestProcess, NestProcess];
  });
  afterAll(() => Promise.all(Object.values(apps).map((app) => app.kill())));

  /** The same question to both. */
  async function both<Answer>(ask: (app: NestProcess) => Answer | Promise<Answer>): Promise<Record<Adapter, Answer>> {
    const [anchor, ours] = await Promise.all([ask(apps.anchor), ask(apps.ours)]);
    return { anchor, ours };
  }
  /** Where the application listens that has the middlewares and hooks of its platform. */
  const frontOf = (app: NestProcess): string => /front (\S+)/.exec(app.output())?.[1] as string;
  const poll = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/?EIO=4&transport=polling`, { headers });
  const cookieOf = ({ headers }: Response): string => headers.getSetCookie()[0]?.split(";")[0] as string;
  const lineOf = (app: NestProcess, start: string): string | undefined =>
    app
      .output()
      .split("\n")
      .find((line) => line.startsWith(start))
      ?.slice(start.length);

  describe.each(clientsOn(run))("$name", ({ connect, open }: StockOrOurs) => {
    /** After this, all that was going to be answered at once has been. */
    const settle = async (client: Socket): Promise<void> => {
      for (let i = 0; i < 2; i++) await client.emitWithAck("promise", i);
    };
    const exceptionOf = (event: string, payload: unknown) =>
      both(async ({ url }) => {
        const client = await connect(url);
        client.emit(event, payload);
        return (await nextEvent(client, "exception"))[0];
      });

    it("answers what handlers return, as we do", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(url);
        const items: unknown[] = [];
        client.on("item", (item: unknown) => items.push(item));
        const answers = [
          await client.emitWithAck("echo", { a: [1] }),
          await client.emitWithAck("echo", "a", "b"),
          await client.emitWithAck("field", { name: "ada" }),
          await client.emitWithAck("promise", 21),
          await client.emitWithAck("observable"),
        ];
        client.emit("events");
        await settle(client);
        return [...answers, items];
      });
      expect(anchor).toEqual([{ a: [1] }, ["a", "b"], "ada", 42, 1, [1, 2]]);
      expect(ours).toEqual(anchor);
    });

    it.each(UNANSWERED)("never acknowledges an event when %s", async (_why, event, payload, answer) => {
      const compat = /compat (\S+)/.exec(apps.ours.output())?.[1] as string;
      const urls = [apps.anchor.url, ...(COMPATIBLE.includes(event) ? [compat] : [])];
      const waiting = await Promise.all(urls.map((url) => connect(url)));
      let answered = 0;
      for (const client of waiting) client.emit(event, payload, () => answered++);
      const client = await connect(apps.ours.url);
      expect(await client.emitWithAck(event, payload)).toEqual(answer);
      await Promise.all(waiting.map(settle));
      expect(answered).toBe(0);
    });

    it.each([
      ["a ValidationPipe says", "send", { text: 1 }, "text must be a string"],
      ["a pipe with zod says", "zod", { n: "x" }, "expected number"],
      ["a pipe for schemas says", "schema", { n: "x" }, "expected number"],
      ["an HttpException says", "missing", 1, "no such thing"],
    ])("tells nothing of what %s", async (_, event, payload, message) => {
      const { anchor, ours } = await exceptionOf(event, payload);
      expect(anchor).toMatchObject({ message: "Internal server error" });
      expect(ours).toMatchObject({ message: expect.stringContaining(message) });
    });

    // Nest 10 does not do it yet.
    if (version !== "10") {
      it("sends back what the client has sent", async () => {
        const { anchor, ours } = await exceptionOf("refuse", "what I sent");
        expect(anchor).toMatchObject({ message: "no", cause: { data: "what I sent" } });
        expect(ours).toEqual({ status: "error", code: "SIO_EVENT_ERROR", message: "no" });
      });
    }

    it("leaves global filters out", async () => {
      const { anchor, ours } = await exceptionOf("range", 1);
      expect(anchor).toMatchObject({ message: "Internal server error" });
      expect(ours).toEqual({ message: "caught by the global filter" });
    });

    it(version === "12" ? "asks global guards, as we do" : "leaves global guards out", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(url);
        let answer: unknown = "none";
        client.emit("echo", "what no guard lets in", (given: unknown) => (answer = given));
        await settle(client);
        return answer;
      });
      expect(anchor).toBe(version === "12" ? "none" : "what no guard lets in");
      expect(ours).toMatchObject({ code: "SIO_FORBIDDEN" });
    });

    it("hands out events before handleConnection is over", async () => {
      const { anchor, ours } = await both(({ url }) => open(`${url}/slow`).emitWithAck("ready"));
      expect(anchor).toBe(false);
      expect(ours).toBe(true);
    });

    it("does not ask guards at connect", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = open(`${url}/guarded`);
        const refused = nextEvent<[Error]>(client, "connect_error").then(([{ message }]) => message);
        return Promise.race([nextEvent(client, "connect").then(() => "connected"), refused]);
      });
      expect(anchor).toBe("connected");
      expect(ours).toBe("Forbidden resource");
    });

    it.each(WHAT_IT_THROWS)("lets the process end when %s", async (_, namespace, message) => {
      await both(async (app) => {
        const client = open(`${app.url}/${namespace}`);
        await nextEvent(client, "connect");
        client.disconnect();
        await app.printed(message);
      });
      expect(apps.anchor.output()).toContain(`would have ended the process: ${message}`);
      expect(apps.ours.output()).not.toContain("would have ended the process");
    });

    it("has one of two gateways with the same pattern of namespaces miss its events", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(`${url}/room-1`);
        const answers: unknown[] = [];
        for (const event of ["first", "second"]) client.emit(event, (answer: unknown) => answers.push(answer));
        // Of the same connection, and behind them.
        const main = client.io.socket("/");
        await nextEvent(main, "connect");
        await settle(main);
        return answers;
      });
      expect(anchor).toHaveLength(1);
      expect(ours).toEqual(["first", "second"]);
    });

    it("adds a listener for each gateway of a namespace, until Node warns", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(`${url}/many`);
        expect(await client.emitWithAck("many-13")).toBe(13);
        return client.emitWithAck("listeners");
      });
      // For "connection" of the namespace; for "disconnect" and two events of the socket.
      expect(anchor).toEqual([14, expect.any(Number), 14, 1]);
      expect(ours).toEqual([1, 1, 1, 1]);
      await apps.anchor.printed("MaxListenersExceededWarning");
      expect(apps.ours.output()).not.toContain("MaxListenersExceededWarning");
    });

    it("handles all events of a socket at the same time, where ours takes them in turn", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(`${url}/turns`);
        const turns = Promise.all([1, 2, 3].map(() => client.emitWithAck("turn")));
        const begun: unknown = await client.emitWithAck("end");
        expect(await turns).toEqual(["over", "over", "over"]);
        return begun;
      });
      expect(anchor).toBe(3);
      expect(ours).toBe(1);
    });

    it("has no events for the guard of @nestjs/throttler", async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(`${url}/throttled`);
        const exception = nextEvent<[{ message: string }]>(client, "exception").then(([{ message }]) => message);
        exception.catch(() => {});
        return Promise.race([client.emitWithAck("hello"), exception]);
      });
      expect(anchor).toBe("Internal server error");
      expect(ours).toBe("hello");
    });

    it(`tells ${version === "12" ? "its instances for each socket" : "nobody"} which socket is at work`, async () => {
      const { anchor, ours } = await both(async ({ url }) => {
        const client = await connect(`${url}/at-work`);
        let isItsOwn: boolean | undefined;
        client.emit("id", (id: unknown) => (isItsOwn = id === client.id));
        const main = client.io.socket("/");
        await nextEvent(main, "connect");
        await settle(main);
        return isItsOwn;
      });
      expect(anchor).toBe(version === "12" ? true : undefined);
      expect(ours).toBe(true);
    });

    it("knows no session of the platform", async () => {
      const { anchor, ours } = await both(async (app) => {
        const url = frontOf(app);
        const extraHeaders = { cookie: cookieOf(await fetch(`${url}/login`)) };
        return (await connect(url, { extraHeaders })).emitWithAck("session");
      });
      expect(anchor).toBe("nobody");
      expect(ours).toBe("ada");
    });
  });

  it("runs no middlewares of configure(consumer) at handshakes", async () => {
    const { anchor, ours } = await both((app) => poll(`${frontOf(app)}/socket.io`, { "x-refuse": "1" }));
    expect(anchor.status).toBe(200);
    expect(ours.status).toBe(401);
    expect(await ours.json()).toMatchObject({ message: "not you" });
  });

  it("does not limit handshakes", async () => {
    const { anchor, ours } = await both(async (app) => {
      const statuses: number[] = [];
      for (let i = 0; i < 3; i++) {
        statuses.push((await poll(`${frontOf(app)}/socket.io`, { "x-limit": "one" })).status);
      }
      return statuses;
    });
    expect(anchor).toEqual([200, 200, 200]);
    expect(ours).toEqual([200, 200, 429]);
  });

  it("forgets what all gateways but one say of the server that they share", async () => {
    const { anchor, ours } = await both(async ({ url }) => {
      const { pingInterval, pingTimeout } = JSON.parse((await (await poll(`${url}/merged`)).text()).slice(1));
      return [pingInterval === 12_345, pingTimeout === 5432];
    });
    expect(anchor.filter(Boolean)).toHaveLength(1);
    expect(ours).toEqual([true, true]);
  });

  it("starts with gateways that contradict each other", async () => {
    const { anchor, ours } = await both((app) => lineOf(app, "contradicting gateways: "));
    expect(anchor).toBe("starts");
    expect(ours).toContain("SIO_NESTJS_CONFLICTING_OPTIONS");
  });

  it("finds its port in use when an application is loaded again", async () => {
    const { anchor, ours } = await both((app) => app.output());
    expect(anchor).toContain("would have ended the process: listen EADDRINUSE");
    expect(ours).toContain("second on the port: starts");
    expect(ours).not.toContain("EADDRINUSE");
  });

  it("lets the process end when afterInit rejects", async () => {
    const message = "afterInit rejected";
    await both((app) => app.printed(message));
    expect(apps.anchor.output()).toContain(`would have ended the process: ${message}`);
    expect(apps.ours.output()).not.toContain("would have ended the process");
  });

  if (platform === "fastify") {
    it("is not found by polling at the second address of localhost", async () => {
      const { anchor, ours } = await both((app) => poll(`${frontOf(app).replace("127.0.0.1", "[::1]")}/socket.io`));
      expect(anchor.status).toBe(404);
      expect(ours.status).toBe(200);
    });
  }

  it("has no server to inject", async () => {
    const { anchor, ours } = await both((app) => lineOf(app, "is the server injected? "));
    expect(anchor).toBe("false");
    expect(ours).toBe("true");
  });

  it.each(OURS_ALONE)("has not %s", async (_, name) => {
    const { anchor, ours } = await both((app) => JSON.parse(lineOf(app, "exports: ") as string) as string[]);
    expect(anchor).not.toContain(name);
    expect(ours).toContain(name);
  });

  it(`finds ${version === "10" ? "no" : "a"} decorator @Ack() in Nest, where ours is on each`, async () => {
    const ofNest = JSON.parse(lineOf(apps.anchor, "websockets exports: ") as string) as string[];
    expect(ofNest.includes("Ack")).toBe(version !== "10");
    expect(JSON.parse(lineOf(apps.ours, "exports: ") as string)).toContain("Ack");
  });

  // What ends an application comes last.
  const [{ connect, open }] = clientsOn(run) as [StockOrOurs];

  it("closes the database before handlers and handleDisconnect have ended", async () => {
    const { anchor, ours } = await both(async (app) => {
      const client = await connect(frontOf(app));
      const begun = nextEvent(client, "begun");
      client.emit("slow");
      await begun;
      return (await connect(app.url)).emitWithAck("close the front");
    });
    expect(anchor[0]).toBe("the database closes");
    expect(ours).toEqual(["the handler ends", "handleDisconnect ends", "the database closes"]);
  });

  it("ends with what nobody catches", async () => {
    await both(async ({ url }) => (await connect(url)).emitWithAck("let it die"));
    for (const { url } of [apps.anchor, apps.ours]) open(`${url}/rejecting`);
    await expect(apps.anchor.printed("what it never prints")).rejects.toThrow("handleConnection rejected");
    expect(await (await connect(apps.ours.url)).emitWithAck("echo", "still there")).toBe("still there");
  });
});
