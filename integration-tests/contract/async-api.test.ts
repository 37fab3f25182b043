import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import {
  asyncApi,
  type AsyncApiDocument,
  defineEvents,
  fromJsonSchema,
  type JsonSchemaFunction,
  type ToJsonSchema,
} from "@plugboard/contract";
import { type } from "arktype";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import * as v from "valibot";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { installLocked } from "../support/install-locked.js";
import { libraries } from "./libraries.js";

const peers = fileURLToPath(new URL("../asyncapi/", import.meta.url));
const requirePeer = createRequire(new URL("../asyncapi/package.json", import.meta.url));

interface Diagnostic {
  readonly severity: number;
  readonly message: string;
  readonly path: readonly unknown[];
}

interface ParsedDocument {
  operations(): { all(): { id(): string; action(): string; reply(): unknown }[] };
  channels(): { all(): { address(): string; messages(): { all(): { name(): string; payload(): unknown }[] } }[] };
}

interface AsyncApiParser {
  parse(text: string): Promise<{ document?: ParsedDocument; diagnostics: Diagnostic[] }>;
}

let parser: AsyncApiParser;
let valibotToJsonSchema: (schema: unknown, config: object) => Record<string, unknown>;

beforeAll(async () => {
  await installLocked(peers);
  parser = new (requirePeer("@asyncapi/parser") as { Parser: new () => AsyncApiParser }).Parser();
  ({ toJsonSchema: valibotToJsonSchema } = requirePeer("@valibot/to-json-schema"));
}, 300_000);

/** Severity of errors, as Spectral counts. */
const ERROR = 0;

async function parsed(document: AsyncApiDocument): Promise<ParsedDocument> {
  const { document: result, diagnostics } = await parser.parse(JSON.stringify(document));
  expect(diagnostics.filter(({ severity }) => severity === ERROR)).toEqual([]);
  if (result === undefined) throw new Error(`no document: ${JSON.stringify(diagnostics)}`);
  return result;
}

const info = { title: "Todos", version: "1.2.3" };

const valibotSchemas: ToJsonSchema = (schema, direction) =>
  schema["~standard"].vendor === "valibot"
    ? valibotToJsonSchema(schema, { typeMode: direction, target: "draft-07" })
    : undefined;

describe("a document", () => {
  it("is refused by the parser when something is amiss, so that the tests below mean something", async () => {
    const document = asyncApi(defineEvents({ client: { hello: {} } }), info);
    const broken = { ...document, info: { title: "Todos" } };
    const { diagnostics } = await parser.parse(JSON.stringify(broken));
    expect(diagnostics.some(({ severity }) => severity === ERROR)).toBe(true);
  });

  it.each(libraries)("of schemas of $name is valid", async ({ todo, created }) => {
    const contract = defineEvents({
      client: { "todo:add": { payload: todo, ack: created, description: "Adds a todo" }, "todo:clear": {} },
      server: { "todo:added": { payload: todo }, "are you there": { ack: created } },
    });
    const document = await parsed(asyncApi(contract, { ...info, toJsonSchema: valibotSchemas }));

    const operations = document.operations().all();
    expect(operations.map((operation) => [operation.action(), operation.reply() !== undefined])).toEqual([
      ["receive", true],
      ["receive", false],
      ["send", false],
      ["send", true],
    ]);
    const [channel] = document.channels().all();
    expect(channel?.address()).toBe("/");
    expect(
      channel
        ?.messages()
        .all()
        .map((message) => message.name()),
    ).toEqual([
      "todo:add",
      "todo:add.ack",
      "ErrorAnswer",
      "todo:clear",
      "todo:added",
      "are you there",
      "are you there.ack",
    ]);
  });

  it("of several namespaces with all that can be said is valid", async () => {
    const chat = defineEvents({ client: { say: { payload: z.string().max(500), ack: z.null() } } });
    const admin = defineEvents({ server: { "user:left": { payload: type({ name: "string" }), description: "Gone" } } });
    const document = asyncApi(
      { "/": defineEvents({}), "/chat": chat, "/admin/users": admin },
      {
        ...info,
        description: "What is to do",
        servers: {
          production: {
            host: "todos.example:443",
            protocol: "wss",
            pathname: "/socket.io/",
            description: "The one for everybody",
          },
        },
      },
    );
    const result = await parsed(document);
    expect(
      result
        .channels()
        .all()
        .map((channel) => channel.address()),
    ).toEqual(["/", "/chat", "/admin/users"]);
  });

  it("of events whose names differ in odd characters alone is valid and has them all", async () => {
    const names = ["a b", "a:b", "a/b", "a~b", "ä", "", "__proto__", "a_b", "#/$ref"];
    const client = Object.fromEntries(names.map((name) => [name, { payload: z.string(), ack: z.string() }]));
    const document = await parsed(
      asyncApi({ "/a:b": defineEvents({ client }), "/a_b": defineEvents({ client }) }, info),
    );
    expect(document.operations().all()).toHaveLength(2 * names.length);
    for (const channel of document.channels().all()) {
      const found = channel
        .messages()
        .all()
        .map((message) => message.name());
      expect(found.filter((name) => !name.endsWith(".ack") && name !== "ErrorAnswer").sort()).toEqual(
        [...names].sort(),
      );
    }
  });

  it("of schemas that refer to themselves is valid", async () => {
    const Folder = z.object({
      name: z.string(),
      get folders() {
        return z.array(Folder);
      },
    });
    const Tree = Type.Cyclic({ Node: Type.Object({ nodes: Type.Array(Type.Ref("Node")) }) }, "Node");
    const contract = defineEvents({
      client: {
        "folder:add": { payload: z.object({ root: Folder }) },
        "tree:add": { payload: fromJsonSchema(Tree, Compile(Tree)) },
      },
      server: { "folder:added": { payload: Folder } },
    });
    await parsed(asyncApi(contract, info));
  });

  it("tells what travels: what is accepted from clients, what is made of it by the server", () => {
    const count = z.string().transform(Number).pipe(z.number());
    const contract = defineEvents({
      client: { count: { payload: count, ack: count } },
      server: { counted: { payload: count, ack: count } },
    });
    expect(asyncApi(contract, info).components.schemas).toMatchObject({
      "main.count": { type: "string" },
      "main.count.ack": { type: "number" },
      "main.counted": { type: "number" },
      "main.counted.ack": { type: "string" },
    });
  });

  it("cannot be made of schemas that have no JSON Schema, and says of which event", () => {
    const contract = (payload: Parameters<typeof defineEvents>[0]) => asyncApi(defineEvents(payload), info);
    expect(() => contract({ client: { "todo:add": { payload: v.string() } } })).toThrow(
      expect.objectContaining({
        code: "SIO_NO_JSON_SCHEMA",
        message: "no JSON Schema of todo:add in /: schemas of valibot do not give theirs, use the option toJsonSchema",
      }),
    );
    expect(() => contract({ server: { tick: { payload: z.date() } } })).toThrow(/^no JSON Schema of tick in \/: ./);
  });
});

describe("an Ajv validator", () => {
  it("makes a Standard Schema of a JSON Schema, its guard being the type", async () => {
    const { Ajv } = requirePeer("ajv") as { Ajv: new (options: object) => AjvLike };
    const schema = {
      type: "object",
      properties: { ids: { type: "array", items: { type: "integer" } } },
      required: ["ids"],
    };
    const ids = fromJsonSchema(schema, new Ajv({ allErrors: true }).compile<{ ids: number[] }>(schema));
    const validate = ids["~standard"].validate;
    expect(await validate({ ids: [1] })).toEqual({ value: { ids: [1] } });
    expect(await validate({ ids: [1, "2", 3.5] })).toEqual({
      issues: [
        { path: ["ids", 1], message: "must be integer" },
        { path: ["ids", 2], message: "must be integer" },
      ],
    });
    await parsed(asyncApi(defineEvents({ client: { ids: { payload: ids } } }), info));
  });
});

interface AjvLike {
  compile<Value>(schema: object): JsonSchemaFunction<Value>;
}
