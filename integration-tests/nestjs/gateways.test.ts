import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { clientsOn, NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const INTERNAL = { status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" };

describe.each(NEST_RUNS)("gateways on Nest $version with $platform", ({ version, platform }) => {
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "gateways", { PLATFORM: platform });
  });
  afterAll(async () => {
    expect(app.output()).not.toContain("unhandledRejection");
    await app.kill();
  });

  describe.each(clientsOn({ version, platform }))("$name", ({ connect, open }) => {
    const ask = async (event: string, ...args: unknown[]): Promise<unknown> => {
      const client = await connect(app.url);
      return client.timeout(5000).emitWithAck(event, ...args);
    };

    it("connects over polling and changes to websocket", async () => {
      const client = await connect(app.url, { transports: ["polling", "websocket"] });
      if (client.io.engine.transport.name !== "websocket") await nextEvent(client.io.engine as never, "upgrade");
      expect(await client.emitWithAck("echo", "over")).toBe("over");
    });

    it("answers with what handlers return: values, promises, the first value of observables", async () => {
      expect(await ask("echo", { a: [1] })).toEqual({ a: [1] });
      expect(await ask("plain", 1)).toEqual({ id: expect.any(String), body: 1 });
      expect(await ask("field", { name: "ada" })).toEqual({ name: "ada", id: expect.any(String) });
      expect(await ask("promise", 21)).toBe(42);
      expect(await ask("observable")).toBe(1);
      expect(await ask("null")).toBe(null);
      expect(await ask("intercepted", 1)).toEqual({ intercepted: 1 });
    });

    it("hands binary data through", async () => {
      expect(Buffer.from((await ask("echo", Buffer.from([1, 2]))) as Uint8Array)).toEqual(Buffer.from([1, 2]));
    });

    it("gives several arguments as an array, and each by its index", async () => {
      expect(await ask("args", "a", "b")).toEqual({ second: "b", all: ["a", "b"] });
    });

    it("sends an event that a handler returns, and acknowledges too", async () => {
      const client = await connect(app.url);
      const replied = nextEvent(client, "replied");
      expect(await client.emitWithAck("reply", 5)).toBe(5);
      expect(await replied).toEqual([5]);
      const items: number[] = [];
      client.on("item", (item: number) => items.push(item));
      await client.emitWithAck("events");
      expect(items).toEqual([1, 2, 3]);
    });

    it("lets a handler acknowledge when it likes", async () => {
      expect(await ask("manual")).toBe("by hand");
    });

    it("answers the acknowledgement of a handler that returns nothing", async () => {
      expect(await ask("void")).toBe(undefined);
      expect(await ask("shared")).toBe("from the second");
    });

    it("answers every failure in one shape", async () => {
      expect(await ask("throw")).toEqual(INTERNAL);
      expect(await ask("ws-exception")).toEqual({ status: "error", code: "SIO_EVENT_ERROR", message: "not like that" });
      expect(await ask("ws-object")).toMatchObject({
        status: "error",
        code: "SIO_EVENT_ERROR",
        message: "no",
        hint: "ask",
      });
      expect(await ask("guarded")).toEqual({ status: "error", code: "SIO_FORBIDDEN", message: "Forbidden resource" });
      expect(await ask("intercepted-throw")).toMatchObject({ status: "error", message: "inside" });
      expect(await ask("http-exception")).toEqual({
        status: "error",
        code: "SIO_NOT_FOUND",
        message: "no such thing",
        data: { statusCode: 404, message: "no such thing", error: "Not Found" },
      });
      expect(await ask("teapot")).toMatchObject({ code: "SIO_HTTP_418", message: "short and stout" });
    });

    it("answers a payload that a pipe refuses with what is wrong with it", async () => {
      expect(await ask("send", { text: "hello", more: 1 })).toEqual({ said: "hello" });
      expect(await ask("send", { text: 1 })).toMatchObject({
        status: "error",
        code: "SIO_INVALID_PAYLOAD",
        message: expect.stringContaining("text must be a string"),
        data: { statusCode: 400, message: expect.arrayContaining(["text must be a string"]) },
      });
      expect(await ask("zod", { n: "7" })).toEqual({ n: 7 });
      expect(await ask("zod", { n: "x" })).toMatchObject({ status: "error", code: "SIO_INVALID_PAYLOAD" });
    });

    it("answers with what a filter of the program emits, and when it says nothing", async () => {
      // Since Nest 11 its base filter adds `cause` by itself.
      expect(await ask("range")).toMatchObject({ status: "error", message: "out of range: 7" });
      expect(await ask("silent")).toEqual(INTERNAL);
    });

    it("sends the event 'exception' to a client that waits for no acknowledgement", async () => {
      const client = await connect(app.url);
      client.emit("http-exception");
      expect(await nextEvent(client, "exception")).toEqual([expect.objectContaining({ code: "SIO_NOT_FOUND" })]);
      client.emit("range");
      expect(await nextEvent(client, "exception")).toMatchObject([{ status: "error", message: "out of range: 7" }]);
      client.emit("ws-exception", "what I sent");
      const [answer] = await nextEvent(client, "exception");
      expect(answer).not.toHaveProperty("cause");
    });

    it("hands events to handlers of patterns", async () => {
      expect(await ask("doc:open", 7)).toEqual({ name: "doc:open", body: 7 });
      expect(await ask("img-12")).toEqual({ image: "img-12" });
    });

    it("asks guards and middlewares before a socket joins", async () => {
      const client = await connect(`${app.url}/chat`, { auth: { token: "secret" } });
      expect(await client.emitWithAck("who")).toEqual({
        user: { name: "ada" },
        name: "ada",
        stamp: "ada",
        pattern: "$connect",
        nsp: "/chat",
      });
    });

    it.each([
      [{}, "who are you?", { statusCode: 401, message: "who are you?", error: "Unauthorized" }],
      [{ token: "no" }, "Forbidden resource", { statusCode: 403, message: "Forbidden resource", error: "Forbidden" }],
      [{ token: "broken" }, "Internal server error", { code: "SIO_INTERNAL_ERROR", message: "Internal server error" }],
      [{ refuse: true }, "refused", { why: "asked for" }],
      [{ stranger: true }, "no stamp", { statusCode: 401, message: "no stamp", error: "Unauthorized" }],
    ])("refuses by connect_error with message and data: %j", async (auth, message, data) => {
      const client = open(`${app.url}/chat`, { auth });
      const [error] = (await nextEvent(client, "connect_error")) as [Error & { data: unknown }];
      expect(error.message).toBe(message);
      expect(error.data).toEqual(data);
    });

    it("hands out events in order once handleConnection is over", async () => {
      const client = open(`${app.url}/slow`);
      const answers = await Promise.all([1, 2, 3].map((n) => client.emitWithAck("ready", n)));
      expect(answers).toMatchObject([1, 2, 3].map((n) => ({ ready: true, n })));
    });

    it("disconnects a client that sends too much before handleConnection is over", async () => {
      const client = await connect(`${app.url}/slow`, { auth: { hold: true } });
      for (let i = 0; i <= 20; i++) client.emit("ready", i);
      expect((await nextEvent(client, "disconnect"))[0]).toBe("io server disconnect");
    });

    it.each([
      ["slow", { fail: "sync-like" }, { message: "not today" }],
      ["slow", { fail: true }, { code: "SIO_UNAUTHORIZED", message: "too late" }],
      ["sync", {}, INTERNAL],
      ["filtered", { fail: "type" }, { message: "ada: no" }],
      ["filtered", { fail: "range" }, { message: "out of range: 9" }],
      ["filtered", {}, INTERNAL],
    ])("tells a client of %s why handleConnection has failed, and disconnects it", async (name, auth, expected) => {
      const client = open(`${app.url}/${name}`, { auth });
      const told: unknown[] = [];
      client.on("exception", (answer: unknown) => told.push(answer));
      expect((await nextEvent(client, "disconnect"))[0]).toBe("io server disconnect");
      expect(told).toEqual([expect.objectContaining(expected)]);
    });

    it("makes namespaces of a pattern, for all its gateways", async () => {
      const client = await connect(`${app.url}/room-7`);
      expect(await client.emitWithAck("room")).toEqual({ id: "7", all: { id: "7" } });
      expect(await client.emitWithAck("room-too")).toBe("7");
    });

    it("injects the server and namespaces", async () => {
      const main = await connect(app.url);
      const chat = await connect(`${app.url}/chat`, { auth: { token: "secret" } });
      const told = Promise.all([nextEvent(main, "told"), nextEvent(chat, "told")]);
      const client = await connect(`${app.url}/tell`);
      expect(await client.emitWithAck("tell", "all")).toBe("/chat");
      expect(await told).toEqual([["all"], ["all"]]);
    });
  });
});
