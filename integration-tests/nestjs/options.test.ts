import { once } from "node:events";
import { createConnection } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { quietPort } from "../support/quiet-port.js";
import { NEST_CLIENT_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

/** How long numbers may take of which nobody tells, in milliseconds. */
const PATIENCE_MS = 20_000;
const INTERNAL = { status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" };
const NOT_LIKE_THAT = { status: "error", code: "SIO_EVENT_ERROR", message: "not like that" };

describe.each(NEST_CLIENT_RUNS)("options on Nest $version with $platform for $name", (run) => {
  const { version, platform, connect, open } = run;
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "options", { PLATFORM: platform, OWN_PORT: String(await quietPort()) });
  });
  afterAll(async () => {
    expect(app.output()).not.toContain("unhandledRejection");
    await app.kill();
  });

  const at = (name: string, host: string = "127.0.0.1"): string => {
    const port = new RegExp(`^at ${name} (\\d+)$`, "m").exec(app.output())?.[1];
    if (port === undefined) throw new Error(`no application ${name}: ${app.output()}`);
    return `http://${host}:${port}`;
  };
  const ask = async (name: string, event: string, ...args: unknown[]): Promise<unknown> => {
    const client = await connect(at(name));
    return client.timeout(5000).emitWithAck(event, ...args);
  };
  /** What the acknowledgement gets, and the event `exception`, if it comes before the answer to another event. */
  const bothOf = async (name: string, event: string, ...args: unknown[]): Promise<unknown[]> => {
    const client = await connect(at(name));
    let exception: unknown = "none";
    client.on("exception", (told: unknown) => (exception = told));
    const answer: unknown = await client.timeout(5000).emitWithAck(event, ...args);
    await client.timeout(5000).emitWithAck("echo", 1);
    return [answer, exception];
  };

  it("sends errors where acks.errors says", async () => {
    expect(await bothOf("default", "ws")).toEqual([NOT_LIKE_THAT, "none"]);
    expect(await bothOf("errors-event", "ws")).toEqual([undefined, NOT_LIKE_THAT]);
    expect(await bothOf("errors-both", "ws")).toEqual([NOT_LIKE_THAT, NOT_LIKE_THAT]);
  });

  it("answers with the value of an observable that acks.observable names", async () => {
    expect(await ask("default", "values")).toBe(1);
    expect(await ask("last", "values")).toBe(3);
    expect(await ask("all", "values")).toEqual([1, 2, 3]);
    expect(await ask("default", "none")).toBe(undefined);
    expect(await ask("last", "none")).toBe(undefined);
    expect(await ask("all", "none")).toEqual([]);
  });

  it("answers errors with what acks.format makes of them, unless that is undefined", async () => {
    const client = await connect(at("format"));
    const made = { was: "SIO_EVENT_ERROR", of: "ws", with: ["a", 2], by: client.id };
    expect(await client.emitWithAck("ws", "a", 2)).toEqual(made);
    client.emit("ws", "a", 2);
    expect(await nextEvent(client, "exception")).toEqual([made]);
    expect(await client.emitWithAck("range")).toEqual(INTERNAL);
  });

  it("adds what the client has sent to errors with includeCause alone", async () => {
    expect(await ask("default", "ws", 5)).not.toHaveProperty("cause");
    expect(await ask("cause", "ws", 5)).toEqual({ ...NOT_LIKE_THAT, cause: { pattern: "ws", data: 5 } });
  });

  it.each([
    [400, "SIO_INVALID_PAYLOAD"],
    [401, "SIO_UNAUTHORIZED"],
    [403, "SIO_FORBIDDEN"],
    [404, "SIO_NOT_FOUND"],
    [422, "SIO_INVALID_PAYLOAD"],
    [429, "SIO_RATE_LIMITED"],
    [503, "SIO_HTTP_503"],
  ])("maps HttpException %i to %s, unless mapHttpExceptions is false", async (statusCode, code) => {
    const mapped = { status: "error", code, message: "no", data: { statusCode, message: "no" } };
    expect(await ask("default", "http", statusCode)).toEqual(mapped);
    expect(await ask("unmapped", "http", statusCode)).toEqual(INTERNAL);
  });

  it("answers an EventError with its own code, message and data", async () => {
    const answer = { status: "error", code: "SOLD_OUT", message: "sold out", data: { left: 0 } };
    expect(await ask("default", "event-error")).toEqual(answer);
  });

  it("answers with what filters that extend the one of Nest send", async () => {
    const answer = await ask("everything", "ws");
    expect(answer).toMatchObject({ status: "error", message: "not like that" });
    expect(Object.hasOwn(answer as object, "cause")).toBe(version !== "10");
    // The filter of Nest knows no HttpException.
    expect(await ask("everything", "http", 404)).toMatchObject({ status: "error", message: "Internal server error" });
    expect(await ask("translated", "http", 404)).toMatchObject({ status: "error", message: "translated 404" });
    expect(await ask("translated", "ws")).toEqual(NOT_LIKE_THAT);
    const client = await connect(at("translated"));
    client.emit("http", 409);
    expect(await nextEvent(client, "exception")).toMatchObject([{ message: "translated 409" }]);
  });

  it("applies global guards, pipes, interceptors and filters where asked to", async () => {
    expect(await ask("globals", "echo", "x")).toEqual(["piped x"]);
    expect(await ask("globals", "echo", "refuse me")).toMatchObject({ code: "SIO_FORBIDDEN" });
    expect(await ask("globals", "range")).toEqual({ status: "error", message: "global: too far" });
    // Nest 12 does without being asked, but for filters.
    const isTwelve = version === "12";
    expect(await ask("no-globals", "echo", "x")).toEqual(isTwelve ? ["piped x"] : "x");
    expect(await ask("no-globals", "range")).toEqual(INTERNAL);
  });

  it("asks guards of the class at connect with connectionGuards: 'class' alone", async () => {
    const auth = { token: "secret" };
    const refused = await connect(at("guards-own"));
    expect(await refused.emitWithAck("patterns")).toMatchObject({ code: "SIO_FORBIDDEN" });
    const [error] = (await nextEvent(open(at("guards-class")), "connect_error")) as [Error];
    expect(error.message).toBe("Forbidden resource");
    const own = await connect(at("guards-own"), { auth });
    expect(await own.emitWithAck("patterns")).toEqual(["patterns"]);
    const all = await connect(at("guards-class"), { auth });
    expect(await all.emitWithAck("patterns")).toEqual(["$connect", "patterns"]);
  });

  it("asks guards of handleConnection at connect, once", async () => {
    const url = `${at("guards-own")}/hook`;
    expect((await nextEvent(open(url), "connect_error"))[0]).toMatchObject({ message: "Forbidden resource" });
    const client = await connect(url, { auth: { token: "secret" } });
    expect(await client.emitWithAck("data")).toEqual({ patterns: ["$connect"], isConnected: true });
  });

  it("lets pages of those origins in that the option cors names, whatever enableCors says of others", async () => {
    const poll = `${at("cors")}/socket.io/?EIO=4&transport=polling`;
    const allowed = (answer: Response): unknown => answer.headers.get("access-control-allow-origin");
    const handshake = await fetch(poll, { headers: { origin: "http://sockets.example" } });
    const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };
    const later = await fetch(`${poll}&sid=${sid}`, { method: "POST", body: "40" });
    expect([allowed(handshake), allowed(later)]).toEqual(["http://sockets.example", "http://sockets.example"]);
    expect(handshake.headers.has("access-control-allow-credentials")).toBe(false);
    expect(handshake.headers.get("vary")).toMatch(/origin/i);
  });

  it("serves a gateway on a port of its own, beside those of the application", async () => {
    expect(await ask("own-port", "echo", 1)).toBe(1);
    const client = await connect(at("own-port-itself"), { path: "/own" });
    expect(await client.emitWithAck("echo", 2)).toBe(2);
  });

  it("serves the server that an adapter's createIOServer makes, with what it sets there", async () => {
    const headers = { origin: "https://web.example" };
    const { headers: answered } = await fetch(`${at("recipe")}/socket.io/?EIO=4&transport=polling`, { headers });
    expect([answered.get("access-control-allow-origin"), answered.get("x-recipe")]).toEqual([headers.origin, "yes"]);
    expect(await ask("recipe", "echo", 1)).toBe(1);
    const rooms = await connect(`${at("recipe")}/rooms`);
    expect(await rooms.emitWithAck("adapter")).toBe("ConnectedAdapter");
    const refused = open(at("recipe"), { auth: { refused: true } });
    expect(await nextEvent(refused, "connect_error")).toEqual([
      expect.objectContaining({ message: "refused by the recipe" }),
    ]);
  });

  it("closes the transport of a client that Nest wants closed, so that it comes back", async () => {
    const client = await connect(at("close-client"), { reconnection: true, reconnectionDelay: 10 });
    const again = nextEvent(client, "disconnect").then((why) => nextEvent(client, "connect").then(() => why[0]));
    client.emit("drop");
    expect(await again).toBe("transport close");
    expect(await client.emitWithAck("echo", "back")).toBe("back");
  });

  it.each(["polling", "websocket"] as const)(
    "runs middlewares of configure(consumer) at handshakes by %s",
    async (transport) => {
      const transports = [transport];
      const client = await connect(at("consumer"), { transports });
      expect(await client.emitWithAck("stamp")).toBe("stamped");
      const extraHeaders = { "x-refuse": "1" };
      const [error] = (await nextEvent(open(at("consumer"), { transports, extraHeaders }), "connect_error")) as [
        { description: unknown },
      ];
      expect(JSON.stringify(error.description) + String((error.description as Error).message)).toContain("401");
      const past = await connect(at("direct"), { transports, extraHeaders });
      expect(await past.emitWithAck("stamp")).not.toBe("stamped");
    },
  );

  it("answers handshakes that a middleware refuses as Nest does, and leaves other paths to the routes", async () => {
    const poll = `${at("consumer")}/socket.io/?EIO=4&transport=polling`;
    const refused = await fetch(poll, { headers: { "x-refuse": "1" } });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ statusCode: 401, message: "refused by a middleware" });
    expect((await fetch(poll)).headers.get("x-stamp")).toBe("yes");
    expect(await (await fetch(`${at("consumer")}/other`)).text()).toBe("a page");
  });

  it("awaits handleConnection of a gateway of which Nest makes an instance for each socket", async () => {
    const client = open(at("scoped"));
    const answer = await client.timeout(5000).emitWithAck("state");
    expect(answer).toEqual({ state: "connected", id: client.id });
  });

  it.each([
    [{ fail: true }, NOT_LIKE_THAT.code],
    [{ broken: true }, INTERNAL.code],
  ])("tells a client why its instance could not be made or has refused it: %j", async (auth, code) => {
    const client = open(at("scoped"), { auth });
    const disconnected = nextEvent(client, "disconnect");
    expect(await nextEvent(client, "exception")).toMatchObject([{ code }]);
    expect((await disconnected)[0]).toBe("io server disconnect");
  });

  // Express listens at one of the two alone; Fastify has a second server for the other one.
  const addresses = platform === "fastify" ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"];
  it.each(addresses)("is reached at localhost by %s, over both transports", async (host) => {
    for (const transport of ["polling", "websocket"] as const) {
      const client = await connect(at("localhost", host), { transports: [transport] });
      expect(await client.emitWithAck("echo", transport)).toBe(transport);
    }
  });

  it("counts connections, refusals, events, acknowledgements, failures and why sockets leave", async () => {
    const counts = async (): Promise<object> => (await (await fetch(`${app.url}/counts`)).json()) as object;
    const nothing = {
      connections: 0,
      sockets: 0,
      connectionsTotal: 0,
      socketsTotal: 0,
      refusedHandshakes: 0,
      refusedSockets: 0,
      events: 0,
      acks: 0,
      errors: 0,
      disconnects: {},
    };
    expect(await counts()).toEqual(nothing);
    expect((await fetch(`${app.url}/socket.io/?EIO=4&transport=none`)).status).toBe(400);
    await nextEvent(open(`${app.url}/counted`), "connect_error");
    const options = { auth: { token: "secret" } };
    const one = await connect(`${app.url}/counted`, options);
    const other = await connect(`${app.url}/counted`, options);
    one.emit("echo", "unacknowledged");
    expect(await one.emitWithAck("echo", 1)).toBe(1);
    expect(await one.emitWithAck("fail")).toMatchObject(NOT_LIKE_THAT);
    const past = { connectionsTotal: 3, socketsTotal: 2, refusedHandshakes: 1, refusedSockets: 1 };
    const handled = { events: 3, acks: 2, errors: 1 };
    await vi.waitFor(
      async () => expect(await counts()).toEqual({ ...nothing, ...past, ...handled, connections: 2, sockets: 2 }),
      PATIENCE_MS,
    );
    one.disconnect();
    other.io.engine.close();
    const disconnects = { "client namespace disconnect": 1, "transport close": 1 };
    await vi.waitFor(
      async () => expect(await counts()).toMatchObject({ connections: 0, sockets: 0, disconnects, ...past }),
      PATIENCE_MS,
    );
  });

  it.each(["polling", "websocket"] as const)("shows the whole URL of the request by %s", async (transport) => {
    const client = await connect(at("default"), { transports: [transport] });
    expect(await client.emitWithAck("url")).toEqual(["/socket.io/", "/socket.io/"]);
  });

  it("serves gateways of a hybrid application until it closes", async () => {
    expect(await ask("hybrid", "double", 21)).toBe(42);
    expect(app.output()).toContain("hybrid serves false");
  });

  it("hands out events while handleConnection goes on with awaitConnection: false", async () => {
    expect(await ask("no-await", "echo", 1)).toBe(1);
  });

  it("serves nothing in preview mode", () => {
    expect(app.output()).toContain("preview serves false");
  });

  it("tells the graph of the application which events gateways handle", async () => {
    expect(await ask("snapshot", "echo", 1)).toBe(1);
    const client = await connect(`${at("snapshot")}/scoped`);
    expect(await client.emitWithAck("scoped echo", 2)).toBe(2);
    const graph = /^graph (.*)$/m.exec(app.output())?.[1] ?? "{}";
    const entrypoints = Object.values(JSON.parse(graph) as Record<string, object[]>).flat();
    for (const [className, message] of [
      ["EventGateway", "echo"],
      ["ScopedEchoGateway", "scoped echo"],
    ]) {
      const metadata = { port: 0, key: message, message };
      const entrypoint = { type: "websocket", methodName: "echo", className, metadata };
      expect(entrypoints).toContainEqual(expect.objectContaining(entrypoint));
    }
  });

  it("ends with forceCloseConnections, and waits for handleDisconnect", async () => {
    const clients = await Promise.all(
      (["polling", "websocket"] as const).map((transport) => connect(at("forced"), { transports: [transport] })),
    );
    const reasons = clients.map((client) => nextEvent(client, "disconnect"));
    const idle = createConnection(Number(new URL(at("forced")).port), "127.0.0.1").on("error", () => {});
    const idleIsOver = new Promise((resolve) => idle.once("close", resolve));
    await once(idle, "connect");
    clients[0]?.emit("close");
    await app.printed("forced application is closed");
    expect(app.output()).toMatch(/(forced handleDisconnect ends\n){2}forced application is closed/);
    for (const reason of reasons) expect((await reason)[0]).toMatch(/^transport (close|error)$/);
    await idleIsOver;
  });
});
