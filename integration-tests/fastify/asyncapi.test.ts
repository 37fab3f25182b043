import { defineEvents, type AsyncApiDocument } from "@plugboard/contract";
import { socketio } from "@plugboard/fastify";
import { useContract } from "@plugboard/server";
import Fastify, { type FastifyInstance } from "fastify";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Type } from "typebox";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { installLocked } from "../support/install-locked.js";

const requirePeer = createRequire(new URL("../asyncapi/package.json", import.meta.url));

interface Diagnostic {
  readonly severity: number;
  readonly message: string;
}

interface ParsedDocument {
  info(): { title(): string; version(): string };
  operations(): { all(): { id(): string; action(): string; reply(): unknown }[] };
  channels(): { all(): { address(): string; messages(): { all(): ParsedMessage[] } }[] };
}

interface ParsedMessage {
  name(): string;
  payload(): { json(): Record<string, unknown> } | undefined;
}

let parser: { parse(text: string): Promise<{ document?: ParsedDocument; diagnostics: Diagnostic[] }> };

beforeAll(async () => {
  await installLocked(fileURLToPath(new URL("../asyncapi/", import.meta.url)));
  parser = new (requirePeer("@asyncapi/parser") as { Parser: new () => typeof parser }).Parser();
}, 300_000);

/** By AsyncAPI's own parser, which counts errors as severity 0. */
async function parsed(document: AsyncApiDocument): Promise<ParsedDocument> {
  const { document: result, diagnostics } = await parser.parse(JSON.stringify(document));
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
  return result!;
}

async function payloadsOf(document: AsyncApiDocument): Promise<Record<string, Record<string, unknown> | undefined>> {
  const messages = (await parsed(document))
    .channels()
    .all()
    .flatMap((channel) => channel.messages().all());
  return Object.fromEntries(messages.map((message) => [message.name(), message.payload()?.json()]));
}

async function application(declare: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
  const app = Fastify();
  onTestFinished(() => app.close());
  await app.register(socketio);
  await declare(app);
  await app.ready();
  return app;
}

describe("app.asyncapi()", () => {
  it("describes events of io.event, whatever their schemas are written with", async () => {
    const app = await application((it) => {
      it.io
        .event(
          "todo:add",
          {
            schema: {
              description: "Adds a todo",
              payload: Type.Object({ text: Type.String() }),
              ack: Type.Object({ id: Type.Number() }),
            },
          },
          () => ({ id: 1 }),
        )
        .event("todo:move", { schema: { payload: z.object({ to: z.number() }) } }, () => {})
        .event("todo:clear", () => {});
      it.ioNamespace("/chat", (nsp) => {
        nsp.event("say", { schema: { payload: { type: "string", maxLength: 9 } } }, () => {});
      });
    });
    const servers = { local: { host: "localhost:3000", protocol: "ws", pathname: "/socket.io/" } };
    const description = app.asyncapi({ title: "Todos", version: "1.2.3", servers });
    const document = await parsed(description);

    expect([document.info().title(), document.info().version()]).toEqual(["Todos", "1.2.3"]);
    expect(
      document
        .operations()
        .all()
        .map((operation) => [operation.id(), operation.action(), operation.reply() !== undefined]),
    ).toEqual([
      ["receive.main.todo_add", "receive", true],
      ["receive.main.todo_move", "receive", false],
      ["receive.main.todo_clear", "receive", false],
      ["receive.chat.say", "receive", false],
    ]);
    expect(description.operations["receive.main.todo_add"]?.description).toBe("Adds a todo");
    expect(await payloadsOf(description)).toMatchObject({
      "todo:add": { type: "object", required: ["text"], properties: { text: { type: "string" } } },
      "todo:add.ack": { type: "object", properties: { id: { type: "number" } } },
      "todo:move": { type: "object", properties: { to: { type: "number" } } },
      "todo:clear": undefined,
      say: { type: "string", maxLength: 9 },
    });
  });

  it("takes along what $ref names, from the scope of the event and those around it", async () => {
    const app = await application((it) => {
      it.addSchema({
        $id: "http://example.com/common.json",
        definitions: { id: { $id: "#id", type: "integer" }, tag: { type: "string", pattern: "^#" } },
      });
      it.register(async (scope) => {
        scope.addSchema({
          $id: "node",
          type: "object",
          properties: {
            children: { type: "array", items: { $ref: "#" } },
            id: { $ref: "http://example.com/common.json#id" },
          },
        });
        scope.io.event(
          "move",
          {
            schema: {
              payload: {
                type: "object",
                properties: {
                  node: { $ref: "node#" },
                  tag: { $ref: "http://example.com/common.json#/definitions/tag" },
                  of: { $ref: "#/definitions/node" },
                },
                definitions: { node: { type: "boolean" } },
              },
            },
          },
          () => {},
        );
      });
    });
    const { move } = await payloadsOf(app.asyncapi());
    expect(move).toMatchObject({
      properties: {
        node: { type: "object", properties: { id: { type: "integer" } } },
        tag: { type: "string", pattern: "^#" },
        of: { type: "boolean" },
      },
    });
    const { children } = (move as { properties: { node: { properties: { children: { items: object } } } } }).properties
      .node.properties;
    expect(children.items).toMatchObject({ type: "object", properties: { children: {} } });
  });

  it("describes contracts of namespaces, with what io.event says of the same events", async () => {
    const contract = defineEvents({
      client: { add: { payload: z.string(), ack: z.number(), description: "Adds" }, clear: {} },
      server: { added: { payload: z.number() } },
    });
    const app = await application((it) => {
      useContract(it.io, contract);
      it.io.event("add", { schema: { payload: { type: "string", maxLength: 5 } } }, () => 1);
      useContract(it.io.of("/admin"), defineEvents({ server: { alarm: {} } }));
      it.ioNamespace(/^\/room-\d{1,3}$/, (nsp) => {
        nsp.event("enter", { schema: { payload: { type: "number" } } }, () => {});
      });
    });
    const description = app.asyncapi();
    const document = await parsed(description);
    expect(
      document
        .operations()
        .all()
        .map((operation) => `${operation.action()} ${description.operations[operation.id()]?.title}`),
    ).toEqual(["receive add", "receive clear", "send added", "send alarm", "receive enter"]);
    expect(Object.values(description.channels).map(({ address }) => address)).toEqual([
      "/",
      "/admin",
      String.raw`/^\/room-\d{1,3}$/`,
    ]);
    expect(description.operations["receive.main.add"]?.description).toBe("Adds");
    expect(await payloadsOf(description)).toMatchObject({
      add: { type: "string", maxLength: 5 },
      "add.ack": { type: "number" },
      added: { type: "number" },
    });
  });

  it("asks toJsonSchema about what the validator compiler of the application alone understands", async () => {
    class Rule {
      constructor(readonly max: number) {}
    }
    const app = await application((it) => {
      it.setValidatorCompiler<Rule>(({ schema }) => (value) => ({ value: Math.min(value as number, schema.max) }));
      it.io.event("n", { schema: { payload: new Rule(3) } }, () => {});
    });
    expect(() => app.asyncapi()).toThrow(
      expect.objectContaining({
        code: "SIO_NO_JSON_SCHEMA",
        message: expect.stringContaining("toJsonSchema") as string,
      }),
    );
    const document = app.asyncapi({
      toJsonSchema: (schema) => (schema instanceof Rule ? { type: "number", maximum: schema.max } : undefined),
    });
    expect(await payloadsOf(document)).toMatchObject({ n: { type: "number", maximum: 3 } });
  });

  it("describes the instance that io names", async () => {
    const app = await application(async (it) => {
      await it.register(socketio, { decoratorName: "adminIo", path: "/admin/io" });
      (it as unknown as { adminIo: typeof it.io }).adminIo.event("stop", () => {});
    });
    expect(Object.keys(app.asyncapi().operations)).toEqual([]);
    expect(Object.keys(app.asyncapi({ io: "adminIo" }).operations)).toEqual(["receive.main.stop"]);
    await parsed(app.asyncapi());
  });
});
