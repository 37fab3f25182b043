import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { installLocked } from "../support/install-locked.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const peers = fileURLToPath(new URL("./peers/", import.meta.url));

/** What every program below begins with: it compiles when `same` is given two types that are the same. */
const HEAD = `
import "@plugboard/fastify";
import Fastify, { type FastifyTypeProvider } from "fastify";
const app = Fastify();
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void;
`;

const programs = {
  "@fastify/type-provider-typebox": `
import { Type, type TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
const io = app.withTypeProvider<TypeBoxTypeProvider>().io;
const schema = {
  payload: Type.Object({ text: Type.String(), tags: Type.Optional(Type.Array(Type.Union([Type.Literal("a"), Type.Literal(1)]))) }),
  ack: Type.Object({ id: Type.Number() }),
};
io.event("add", { schema }, (payload) => {
  same<typeof payload, { text: string; tags?: ("a" | 1)[] }>();
  return { id: 1 };
});
// @ts-expect-error id has to be a number
io.event("wrong", { schema }, () => ({ id: "1" }));
`,
  "fastify-type-provider-zod": `
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
const io = app.withTypeProvider<ZodTypeProvider>().io;
const schema = { payload: z.object({ n: z.coerce.number(), at: z.iso.date().optional() }), ack: z.object({ id: z.string() }) };
io.event("add", { schema }, async ({ n, at }, { socket }) => {
  same<typeof n, number>();
  same<typeof at, string | undefined>();
  same<typeof socket.request.ip, string>();
  return { id: "1" };
});
// @ts-expect-error id has to be a string
io.event("wrong", { schema }, async () => ({ id: 1 }));
`,
  "json-schema-to-ts": `
import type { FromSchema, JSONSchema } from "json-schema-to-ts";
interface JsonSchemaProvider extends FastifyTypeProvider {
  validator: this["schema"] extends JSONSchema ? FromSchema<this["schema"]> : unknown;
}
const io = app.withTypeProvider<JsonSchemaProvider>().io;
const schema = {
  payload: {
    type: "object",
    required: ["kind"],
    additionalProperties: false,
    properties: { kind: { enum: ["a", "b"] }, of: { oneOf: [{ type: "string" }, { type: "null" }] } },
  },
  ack: { type: "array", items: { type: "integer" } },
} as const;
io.event("add", { schema }, ({ kind, of }) => {
  same<typeof kind, "a" | "b">();
  same<typeof of, string | null | undefined>();
  return [1];
});
// @ts-expect-error items have to be numbers
io.event("wrong", { schema }, () => ["1"]);
`,
};

const wrong = programs["@fastify/type-provider-typebox"].replace("text: string;", "text: number;");

/** What the compiler says of each program, as if it stood beside the installed peers, with one copy of Fastify. */
function errorsOf(texts: readonly string[]): string[] {
  const files = new Map(texts.map((text, index) => [`${peers}program-${index}.mts`, HEAD + text]));
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [`${root}node_modules/@types`],
    paths: { fastify: [`${root}node_modules/fastify/fastify.d.ts`] },
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].map((name) => {
    const file = program.getSourceFile(name)!;
    const diagnostics = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return ts.formatDiagnostics(diagnostics, { ...host, getCurrentDirectory: () => peers });
  });
}

let errors: string[];

beforeAll(async () => {
  await installLocked(peers);
  errors = errorsOf([...Object.values(programs), wrong]);
}, 300_000);

describe("payloads and answers of io.event", () => {
  it.each([...Object.keys(programs).entries()])("have the types of the type provider: %i, %s", (index) => {
    expect(errors[index]).toBe("");
  });

  it("would not, if this did not look", () => {
    expect(errors.at(-1)).toContain("error TS");
  });
});
