import { io as createPublished, type Socket as PublishedSocket } from "socket.io-client";
import type { Server as PublishedServer } from "socket.io";
import type { Server, Socket } from "@plugboard/server";
import type { Socket as ClientSocket } from "@plugboard/client";
import {
  type AckInputOf,
  type AckOutputOf,
  type ClientEmitEvents,
  type ClientListenEvents,
  type Contract,
  defineEvents,
  type ErrorAnswer,
  type InferInput,
  type InferOutput,
  parse,
  type PayloadInputOf,
  type PayloadOf,
  type ServerEmitEvents,
  type ServerListenEvents,
} from "@plugboard/contract";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { describe, expect, test } from "tstyche";

const contract = defineEvents({
  client: {
    "todo:add": {
      payload: z.object({ title: z.string(), at: z.coerce.date<string>() }),
      ack: z.object({ id: z.number() }),
    },
    "todo:rename": { payload: v.object({ title: v.pipe(v.string(), v.trim()) }) },
    "todo:find": { payload: type({ text: "string" }), ack: type("string[]") },
    "todo:sort": { payload: z.enum(["asc", "desc"]).default("asc") },
    "todo:count": { ack: z.string().transform(Number) },
    hello: {},
  },
  server: {
    "todo:added": { payload: z.object({ id: z.number() }) },
    "are you there": { payload: z.string(), ack: z.boolean() },
    bye: {},
  },
});
type C = typeof contract;

describe("defineEvents", () => {
  test("keeps the names of the events", () => {
    expect<keyof C["client"]>().type.toBe<
      "todo:add" | "todo:rename" | "todo:find" | "todo:sort" | "todo:count" | "hello"
    >();
    expect<keyof C["server"]>().type.toBe<"todo:added" | "are you there" | "bye">();
  });

  test("gives what fits a contract of any events", () => {
    expect(contract).type.toBeAssignableTo<Contract>();
  });

  test("takes one side alone, or none", () => {
    expect(defineEvents({})).type.toBe<Contract<{}, {}>>();
    expect(defineEvents({ server: { bye: {} } }).client).type.toBe<{}>();
  });

  test("refuses what is no schema, and what no definition has", () => {
    expect(defineEvents).type.not.toBeCallableWith({ client: { x: { payload: "string" } } });
    expect(defineEvents).type.not.toBeCallableWith({ client: { x: { payload: { type: "object" } } } });
  });
});

describe("a schema", () => {
  const schema = z.string().transform(Number);
  test("has a type that it accepts and one that it gives, whatever library it is of", () => {
    expect<InferInput<typeof schema>>().type.toBe<string>();
    expect<InferOutput<typeof schema>>().type.toBe<number>();
    expect(parse(schema, "1")).type.toBe<number | Promise<number>>();
    expect(parse(v.string(), "1")).type.toBe<string | Promise<string>>();
    expect(parse(type("string.numeric.parse"), "1")).type.toBe<number | Promise<number>>();
  });
});

describe("payloads and answers of an event", () => {
  test("are what the schemas say", () => {
    expect<PayloadOf<C, "client", "todo:add">>().type.toBe<{ title: string; at: Date }>();
    expect<PayloadInputOf<C, "client", "todo:add">>().type.toBe<{ title: string; at: string }>();
    expect<AckInputOf<C, "client", "todo:count">>().type.toBe<string>();
    expect<AckOutputOf<C, "client", "todo:count">>().type.toBe<number>();
    expect<PayloadOf<C, "client", "todo:find">>().type.toBe<{ text: string }>();
  });
});

describe("event maps", () => {
  test("of a server", () => {
    type Listen = ServerListenEvents<C>;
    expect<Listen["todo:add"]>().type.toBe<
      (payload: { title: string; at: Date }, ack: (answer: { id: number } | ErrorAnswer) => void) => void
    >();
    expect<Listen["todo:rename"]>().type.toBe<(payload: { title: string }) => void>();
    expect<Listen["todo:count"]>().type.toBe<(ack: (answer: string | ErrorAnswer) => void) => void>();
    expect<Listen["hello"]>().type.toBe<() => void>();
  });
});
declare const published: PublishedServer<ServerListenEvents<C>, ServerEmitEvents<C>>;
declare const ours: Server<ServerListenEvents<C>, ServerEmitEvents<C>>;
published.emit("bye");
ours.emit("bye");
