import type { Socket as OurClientSocket } from "@plugboard/client";
import {
  type AckInputOf,
  type AckOutputOf,
  type ClientEmitEvents,
  type ClientListenEvents,
  type Contract,
  contractClient,
  defineEvents,
  type ErrorAnswer,
  fromJsonSchema,
  type InferInput,
  type InferOutput,
  parse,
  type PayloadInputOf,
  type PayloadOf,
  type ServerEmitEvents,
  type ServerListenEvents,
  type StandardSchema,
} from "@plugboard/contract";
import type { Server as OurServer } from "@plugboard/server";
import type { Server as PublishedServer } from "socket.io";
import type { Socket as PublishedClientSocket } from "socket.io-client";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
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

describe("event maps of a server", () => {
  test("listen to what schemas make of payloads, and answer with what they accept, or an error", () => {
    type Listen = ServerListenEvents<C>;
    expect<Listen["todo:add"]>().type.toBe<
      (payload: { title: string; at: Date }, ack: (answer: { id: number } | ErrorAnswer) => void) => void
    >();
    expect<Listen["todo:rename"]>().type.toBe<(payload: { title: string }) => void>();
    expect<Listen["todo:sort"]>().type.toBe<(payload: "asc" | "desc") => void>();
    expect<Listen["todo:count"]>().type.toBe<(ack: (answer: string | ErrorAnswer) => void) => void>();
    expect<Listen["hello"]>().type.toBe<() => void>();
    expect<keyof Listen>().type.toBe<keyof C["client"]>();
  });

  test("emit what schemas accept, and get what they make of answers, or an error", () => {
    type Emit = ServerEmitEvents<C>;
    expect<Emit["todo:added"]>().type.toBe<(payload: { id: number }) => void>();
    expect<Emit["are you there"]>().type.toBe<
      (payload: string, ack: (answer: boolean | ErrorAnswer) => void) => void
    >();
    expect<Emit["bye"]>().type.toBe<() => void>();
  });

  test("fit our server and the published one", () => {
    const use = (
      io:
        | PublishedServer<ServerListenEvents<C>, ServerEmitEvents<C>>
        | OurServer<ServerListenEvents<C>, ServerEmitEvents<C>>,
    ) => io;
    expect<Parameters<typeof use>[0]["emit"]>().type.toBeCallableWith("todo:added", { id: 1 });
    expect<Parameters<typeof use>[0]["emit"]>().type.not.toBeCallableWith("todo:added", { id: "1" });
    expect<Parameters<typeof use>[0]["emit"]>().type.not.toBeCallableWith("todo:add", { id: 1 });
  });
});

declare const published: PublishedClientSocket<ClientListenEvents<C>, ClientEmitEvents<C>>;
declare const ours: OurClientSocket<ClientListenEvents<C>, ClientEmitEvents<C>>;

describe("event maps of a client", () => {
  test("emit what schemas accept, and get what they make of answers, or an error", () => {
    type Emit = ClientEmitEvents<C>;
    expect<Emit["todo:add"]>().type.toBe<
      (payload: { title: string; at: string }, ack: (answer: { id: number } | ErrorAnswer) => void) => void
    >();
    expect<Emit["todo:sort"]>().type.toBe<(payload?: "asc" | "desc") => void>();
    expect<Emit["todo:count"]>().type.toBe<(ack: (answer: number | ErrorAnswer) => void) => void>();
    expect<Emit["hello"]>().type.toBe<() => void>();
  });

  test("listen to what schemas make of payloads, and answer with what they accept, or an error", () => {
    type Listen = ClientListenEvents<C>;
    expect<Listen["are you there"]>().type.toBe<
      (payload: string, ack: (answer: boolean | ErrorAnswer) => void) => void
    >();
    expect<Listen["bye"]>().type.toBe<() => void>();
  });

  test("fit the published client and ours", () => {
    expect(published.emitWithAck("todo:count")).type.toBe<Promise<number | ErrorAnswer>>();
    expect(ours.emitWithAck("todo:count")).type.toBe<Promise<number | ErrorAnswer>>();
    expect(published.emit).type.not.toBeCallableWith("hello", 1);
    expect(ours.emit).type.not.toBeCallableWith("hello", 1);
  });
});

describe("contractClient", () => {
  const client = contractClient(published, contract);

  test("takes any client socket, typed or not", () => {
    expect(contractClient).type.toBeCallableWith(published, contract);
    expect(contractClient).type.toBeCallableWith(ours, contract);
    expect(contractClient).type.toBeCallableWith({} as PublishedClientSocket, contract);
    expect(contractClient).type.toBeCallableWith({} as OurClientSocket, contract);
    expect(contractClient).type.not.toBeCallableWith({ emit() {} }, contract);
  });

  test("emits events of clients alone, with what the schema accepts", () => {
    expect(client.emit).type.toBeCallableWith("todo:add", { title: "Tea", at: "2030-01-01" });
    expect(client.emit).type.toBeCallableWith("todo:sort");
    expect(client.emit).type.toBeCallableWith("todo:sort", "asc");
    expect(client.emit).type.toBeCallableWith("hello");
    expect(client.emit).type.not.toBeCallableWith("hello", 1);
    expect(client.emit).type.not.toBeCallableWith("todo:add");
    expect(client.emit).type.not.toBeCallableWith("todo:add", { title: 1, at: "2030-01-01" });
    expect(client.emit).type.not.toBeCallableWith("todo:added", { id: 1 });
    expect(client.emit).type.not.toBeCallableWith("todo:nothing");
  });

  test("awaits what the schema makes of an answer, of events that are answered", () => {
    expect(client.emitWithAck("todo:count")).type.toBe<Promise<number>>();
    expect(client.emitWithAck("todo:find", { text: "a" })).type.toBe<Promise<string[]>>();
    expect(client.emitWithAck).type.not.toBeCallableWith("hello");
    expect(client.emitWithAck).type.not.toBeCallableWith("todo:rename", { title: "a" });
  });

  test("hears events of the server, and returns answers where there are any", () => {
    client.on("todo:added", (...args) => expect(args).type.toBe<[payload: { id: number }]>());
    client.once("bye", (...args) => expect(args).type.toBe<[]>());
    expect(client.on).type.toBeCallableWith("are you there", () => true);
    expect(client.on).type.toBeCallableWith("are you there", async (name: string) => name === "a");
    expect(client.on).type.toBeCallableWith("are you there", () => ({}) as ErrorAnswer);
    expect(client.on).type.not.toBeCallableWith("are you there", () => "yes");
    expect(client.on).type.not.toBeCallableWith("todo:added", (text: string) => text);
    expect(client.on).type.not.toBeCallableWith("todo:add", () => {});
  });
});

describe("fromJsonSchema", () => {
  test("has the type of the schema of TypeBox", () => {
    const schema = Type.Object({ title: Type.String(), tags: Type.Optional(Type.Array(Type.String())) });
    expect(fromJsonSchema(schema, Compile(schema))).type.toBe<StandardSchema<{ title: string; tags?: string[] }>>();
  });

  test("has it also where another is expected, which is then an error", () => {
    const schema = Type.Object({ title: Type.String() });
    const same: StandardSchema<{ title: string }> = fromJsonSchema(schema, Compile(schema));
    expect(same).type.toBe<StandardSchema<{ title: string }>>();
    expect(fromJsonSchema(schema, Compile(schema))).type.not.toBeAssignableTo<StandardSchema<{ title: number }>>();
  });

  test("has the type that the function of Ajv guards", () => {
    const validate = {} as { (this: object, data: any, context?: object): data is { id: number }; errors?: null };
    expect(fromJsonSchema({}, validate)).type.toBe<StandardSchema<{ id: number }>>();
  });
});
