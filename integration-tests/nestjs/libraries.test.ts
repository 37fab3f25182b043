import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startRedis } from "../adapters/redis-process.js";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { clientsOn, NEST_RUNS, NEST_VERSIONS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

type Refusal = Error & { data: unknown };

const [{ connect: connectStock }] = bothClients as [StockOrOurs];

describe.each(NEST_RUNS)("libraries of Nest $version with $platform", ({ version, platform }) => {
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "libraries", { PLATFORM: platform });
  });
  afterAll(() => app.kill());

  describe.each(clientsOn({ version, platform }))("$name", (kind) => {
    // The path comes from @nestjs/config.
    const path = "/realtime";
    const connect = (nsp: string, options: object = {}) => kind.connect(app.url + nsp, { path, ...options });
    const refusal = async (nsp: string, options: object = {}): Promise<Refusal> =>
      (await nextEvent<[Refusal]>(kind.open(app.url + nsp, { path, ...options }), "connect_error"))[0];

    it("takes options from @nestjs/config", async () => {
      expect(await (await connect("/")).emitWithAck("order", 1)).toEqual({ ok: true });
    });

    it("knows who has a token of @nestjs/jwt", async () => {
      const token = await (await fetch(`${app.url}/token`)).text();
      const client = await connect("/jwt", { auth: { token } });
      expect(await client.emitWithAck("who")).toBe("ada");
      const error = await refusal("/jwt", { auth: { token: `${token}x` } });
      expect(error.data).toEqual({ statusCode: 401, message: "invalid signature", error: "Unauthorized" });
    });

    it("knows who a strategy of @nestjs/passport knows", async () => {
      const client = await connect("/passport", { extraHeaders: { "x-user": "ada" } });
      expect(await client.emitWithAck("who")).toEqual({ name: "ada" });
      expect((await refusal("/passport")).data).toMatchObject({ statusCode: 401 });
    });

    it("limits events by @nestjs/throttler", async () => {
      const client = await connect("/throttled");
      expect(await client.emitWithAck("hello")).toBe("hello");
      expect(await client.emitWithAck("hello")).toBe("hello");
      expect(await client.emitWithAck("hello")).toMatchObject({ status: "error", code: "SIO_RATE_LIMITED" });
    });

    it(`validates by ${version === "12" ? "a schema of the Standard Schema pipe" : "nestjs-zod"}`, async () => {
      const [nsp, event] = version === "12" ? ["/schema", "point"] : ["/zod", "zod"];
      const client = await connect(nsp as string);
      expect(await client.emitWithAck(event as string, { x: "7" })).toEqual({ x: 7 });
      expect(await client.emitWithAck(event as string, { x: "seven" })).toMatchObject({
        status: "error",
        code: "SIO_INVALID_PAYLOAD",
      });
    });

    it("keeps the context of nestjs-cls for each event", async () => {
      const clients = await Promise.all(["ada", "bob"].map((name) => connect("/cls", { auth: { name } })));
      const greetings = await Promise.all(clients.map((client) => client.emitWithAck("greet")));
      expect(greetings).toEqual(["hello ada", "hello bob"]);
      // That of handleConnection, and a provider of its own for each event.
      const told = await Promise.all(clients.map((client) => client.emitWithAck("greeting")));
      expect(told).toEqual([
        ["hello ada, ada", "ada"],
        ["hello bob, bob", "bob"],
      ]);
    });

    it("hands on events of @nestjs/event-emitter", async () => {
      const [one, other] = await Promise.all([connect("/"), connect("/")]);
      const created = nextEvent(other, "order created");
      await one.emitWithAck("order", 7);
      expect(await created).toEqual([{ id: 7 }]);
    });

    it("logs what a handler throws by nestjs-pino", async () => {
      const client = await connect("/");
      expect(await client.emitWithAck("fail")).toMatchObject({ code: "SIO_INTERNAL_ERROR" });
      await app.printed("something for the log");
      const line = app
        .output()
        .split("\n")
        .find((line) => line.includes("something for the log")) as string;
      expect(JSON.parse(line)).toMatchObject({ level: 50, context: "SocketIo" });
    });
  });

  it("is up for @nestjs/terminus", async () => {
    const response = await fetch(`${app.url}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "ok", info: { socketIo: { status: "up" } } });
  });
});

describe.each(NEST_VERSIONS)("the Redis adapter on Nest %s", (version) => {
  beforeAll(() => prepareNest(version));

  it("brings what one process says to the clients of another, as an option and in a class as Nest documents it", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.remove());
    const apps = await Promise.all(
      ["libraries", "recipes"].map((name) => startNest(version, name, { REDIS: redis.socket })),
    );
    onTestFinished(async () => void (await Promise.all(apps.map((app) => app.kill()))));
    const [one, other] = apps as [NestProcess, NestProcess];
    const here = await connectStock(one.url, { path: "/realtime" });
    const there = await connectStock(other.url, { path: "/realtime" });
    let told = nextEvent(there, "told");
    await fetch(`${one.url}/tell`);
    expect(await told).toEqual(["everybody"]);
    told = nextEvent(here, "told");
    expect(await there.emitWithAck("tell")).toBe(undefined);
    expect(await told).toEqual(["everybody"]);
    const handshake = await fetch(`${other.url}/realtime/?EIO=4&transport=polling`, {
      headers: { origin: "https://example.com" },
    });
    expect(handshake.headers.get("access-control-allow-origin")).toBe("https://example.com");
    const namespaced = await connectStock(`${other.url}/other`, { path: "/realtime" });
    expect(await namespaced.emitWithAck("adapter")).toBe("RedisAdapter");
  });
});
