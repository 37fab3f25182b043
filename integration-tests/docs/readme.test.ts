import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const running: Array<ChildProcessByStdio<null, Readable, Readable>> = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

/** The fenced code blocks of a page, in order, with the words after the opening fence. */
async function codeBlocks(page: string): Promise<Array<{ info: string; code: string }>> {
  const text = await readFile(`${root}/${page}`, "utf8");
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)].map(([, info = "", code = ""]) => ({ info, code }));
}

/** Runs a program of the docs where both the packages and the published client can be imported. */
function start(program: string): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: `${root}/integration-tests`,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8").on("data", (text: string) => process.stderr.write(text));
  return child;
}

/** The first thing a program prints. */
async function firstOutput(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  const [text] = (await Promise.race([
    once(child.stdout, "data"),
    // Not "exit", which may come before what was printed.
    once(child, "close").then(([code]) => [`(ended with ${String(code)})`]),
  ])) as [string];
  return text;
}

/** The program with its port 3000 replaced by a free one, which it prints. */
async function startServer(program: string, server: string): Promise<string> {
  expect(program).toContain("3000");
  const announce = `\n${server}.once("listening", () => console.log(${server}.address().port));`;
  return (await firstOutput(start(program.replace("3000", "0") + announce))).trim();
}

describe("the programs in the documentation", () => {
  it("README: ten lines serve what three lines of the published client ask for", async () => {
    const blocks = await codeBlocks("README.md");
    const server = blocks.find(({ info }) => info === "js server.mjs")?.code ?? "";
    const client = blocks.find(({ info }) => info === "js client.mjs")?.code ?? "";
    expect(server.trimEnd().split("\n")).toHaveLength(10);
    expect(client.trimEnd().split("\n")).toHaveLength(3);
    const port = await startServer(server, "httpServer");
    expect(await firstOutput(start(client.replace("3000", port)))).toBe("hello world\n");
  });

  it("packages/protocol/README: the program prints what the page says", async () => {
    const [program, printed] = await codeBlocks("packages/protocol/README.md");
    const child = start(program?.code ?? "");
    let output = "";
    child.stdout.on("data", (text: string) => (output += text));
    await once(child, "close");
    expect(output).toBe(printed?.code);
  });

  it("packages/engine/README: the program answers a message over polling", async () => {
    const [program] = await codeBlocks("packages/engine/README.md");
    const port = await startServer(program?.code ?? "", "httpServer");
    const url = `http://localhost:${port}/engine.io/?EIO=4&transport=polling`;
    const request = async (query: string, init?: RequestInit): Promise<string> =>
      (await fetch(url + query, init)).text();
    const { sid } = JSON.parse((await request("")).slice(1)) as { sid: string };
    expect(await request(`&sid=${sid}`, { method: "POST", body: "4hi" })).toBe("ok");
    expect(await request(`&sid=${sid}`)).toBe("4echo hi");
  });

  it("packages/server/README: the program delivers to those who know the secret", async () => {
    const [program] = await codeBlocks("packages/server/README.md");
    const port = await startServer(program?.code ?? "", "io.httpServer");
    const client = `
      import { io } from "socket.io-client";
      const ada = io("http://localhost:${port}", { auth: { token: "secret" } });
      const bob = io("http://localhost:${port}", { auth: { token: "secret" }, forceNew: true });
      const eve = io("http://localhost:${port}", { forceNew: true });
      const refused = new Promise((resolve) => eve.on("connect_error", (error) => resolve(error.message)));
      await Promise.all([ada, bob].map((socket) => new Promise((resolve) => socket.on("connect", resolve))));
      const heard = new Promise((resolve) => bob.on("said", (id, text) => resolve(id === ada.id && text)));
      const ack = await ada.emitWithAck("say", "hi");
      console.log([ack, await heard, await refused].join(", "));`;
    expect(await firstOutput(start(client))).toBe("delivered, hi, who are you?\n");
  });

  it("packages/msgpack/README: the server gets a date and bytes", async () => {
    const [server, client] = await codeBlocks("packages/msgpack/README.md");
    const port = await startServer(server?.code ?? "", "io.httpServer");
    const printed = /\/\/ (.*)/.exec(client?.code ?? "")?.[1];
    expect(await firstOutput(start(client?.code.replace("3000", port) ?? ""))).toBe(`${printed}\n`);
  });

  it("packages/contract/README: both ends keep to the contract", async () => {
    const blocks = await codeBlocks("packages/contract/README.md");
    const program = (file: string): string => {
      const code = blocks.find(({ info }) => info === `js ${file}`)?.code ?? "";
      // One file each here: what they share comes first.
      return code.replace(/^import .* "\.\/contract\.mjs";\n/m, "");
    };
    const shared = program("contract.mjs").replace("export const", "const");
    const port = await startServer(shared + program("server.mjs"), "io.httpServer");
    const client = shared + program("client.mjs");
    expect(await firstOutput(start(client.replace("3000", port)))).toBe("1\n");
  });

  it("packages/fastify/README: who has logged in adds a thing to do, and the other snippets fit in", async () => {
    const blocks = await codeBlocks("packages/fastify/README.md");
    const program = (file: string): string => blocks.find(({ info }) => info === `js ${file}`)?.code ?? "";
    const snippets = blocks.filter(({ info }) => info === "js").map(({ code }) => code);
    expect(snippets).toHaveLength(2);
    const server = program("server.mjs")
      .replace("logger: true", "logger: false")
      .replace("3000", "0")
      .replace("await app.listen", `${snippets.join("\n")}\nawait app.listen`);
    const port = (await firstOutput(start(`${server}\nconsole.log(app.server.address().port);`))).trim();
    expect(await firstOutput(start(program("client.mjs").replaceAll("3000", port)))).toBe("{ id: 1 }\n");
    const document: unknown = await (await fetch(`http://localhost:${port}/asyncapi.json`)).json();
    expect(document).toMatchObject({ info: { title: "Todos" }, channels: { chat: { messages: { say: {} } } } });
  });

  it("packages/fastify/README: the test passes, and its process ends", async () => {
    const blocks = await codeBlocks("packages/fastify/README.md");
    const child = start(blocks.find(({ info }) => info === "js app.test.mjs")?.code ?? "");
    child.stdout.resume();
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  it("packages/auth/README: the client gets in by its token", async () => {
    const blocks = await codeBlocks("packages/auth/README.md");
    const [server, client] = ["server.mjs", "client.mjs"].map(
      (file) => blocks.find(({ info }) => info === `js ${file}`)?.code ?? "",
    );
    const port = await startServer(server!, "httpServer");
    expect(await firstOutput(start(client!.replaceAll("3000", port)))).toBe("ada\n");
  });

  it("packages/session/README: requests and sockets count the same visits", async () => {
    const [program] = await codeBlocks("packages/session/README.md");
    const port = await startServer(program?.code ?? "", "httpServer");
    const response = await fetch(`http://localhost:${port}/`);
    const [cookie = ""] = response.headers.getSetCookie().map((field) => field.split(";", 1)[0]!);
    expect(await response.text()).toBe("1");
    const client = `
      import { io } from "socket.io-client";
      const socket = io("http://localhost:${port}", { extraHeaders: { cookie: ${JSON.stringify(cookie)} } });
      console.log(await socket.emitWithAck("visit"));`;
    expect(await firstOutput(start(client))).toBe("2\n");
  });

  it("packages/rate-limit/README: the second export of a user within a minute is refused", async () => {
    const [program] = await codeBlocks("packages/rate-limit/README.md");
    const port = await startServer(program?.code ?? "", "httpServer");
    const client = `
      import { io } from "socket.io-client";
      const socket = io("http://localhost:${port}");
      const answers = [await socket.emitWithAck("export"), await socket.emitWithAck("export")];
      console.log(answers.map(({ rows, code }) => rows ?? code).join(", "));`;
    expect(await firstOutput(start(client))).toBe("3, SIO_RATE_LIMITED\n");
  });

  it("packages/testing/README: the test passes, and its process ends", async () => {
    const [program] = await codeBlocks("packages/testing/README.md");
    const child = start(program?.code ?? "");
    child.stdout.resume();
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  it("the pieces of the READMEs of session, auth, rate-limit and testing compile", { timeout: 120_000 }, async () => {
    const files = new Map<string, string>();
    for (const [name, declarations] of Object.entries(PIECES)) {
      const blocks = await codeBlocks(`packages/${name}/README.md`);
      const pieces = blocks.filter(({ info }) => /^[jt]s/.test(info));
      expect([name, pieces.length]).toEqual([name, declarations.length]);
      pieces.forEach(({ code }, n) => {
        files.set(`${root}integration-tests/docs/${name}-${n}.mts`, `${declarations[n]}\n${code}\nexport {};`);
      });
    }
    expect(errorsOf(files)).toEqual([]);
  });
});

const CLIENT =
  'declare const socket: import("@plugboard/client").Socket; declare function refreshed(): Promise<string>;';
const SERVER = 'import { Server } from "@plugboard/server"; declare const io: Server;';

/** What each piece takes to be there. */
const PIECES: Readonly<Record<string, readonly string[]>> = {
  session: [
    'declare module "node:http" { interface IncomingMessage { session: { visits?: number } } } declare module "@plugboard/session" { interface SessionData { visits?: number } }',
    'import type {} from "@plugboard/session";',
    'import { perEvent } from "@plugboard/session"; declare const socket: import("@plugboard/server").Socket;',
  ],
  auth: [
    'import type {} from "jose"; declare module "jose" { interface JWTPayload { sid?: string } }',
    "",
    CLIENT,
    CLIENT,
    CLIENT,
    `import type {} from "@plugboard/auth"; ${SERVER}`,
    'declare const redis: import("ioredis").Redis;',
  ],
  "rate-limit": ["", SERVER],
  testing: [
    "",
    `declare function once(from: { once(event: string, listener: unknown): unknown }, event: string): Promise<unknown>; import { testClient } from "@plugboard/testing"; ${SERVER}`,
    // The published declarations say that an agent is a text.
    `import * as testing from "@plugboard/testing"; const memoryAgent: (io: Server) => any = testing.memoryAgent; ${SERVER}`,
    `import { vi } from "vitest"; import { testClient } from "@plugboard/testing"; ${SERVER}`,
  ],
};

/** What the compiler says of modules that are on no disk, by the declarations of the build. */
function errorsOf(files: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    // They are JavaScript.
    strict: false,
    skipLibCheck: true,
    noEmit: true,
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  const program = ts.createProgram([...files.keys()], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
}
