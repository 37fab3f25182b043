import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { prepareNest, typeErrors } from "./nest-app.js";

const here = new URL("./", import.meta.url);
const strict: ts.CompilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  types: ["node"],
  typeRoots: [fileURLToPath(new URL("../../node_modules/@types", here))],
};

function errorsIn(files: readonly string[], options: ts.CompilerOptions): string[] {
  const program = ts.createProgram(files, options);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText, start }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

// The ends of the range: what fits both has fitted what lies between.
describe.each(["10", "12"] as const)("a strict program on Nest %s", (version) => {
  let file: string;
  beforeAll(async () => {
    await prepareNest(version);
    const folder = new URL(`nest-${version}/node_modules/`, here);
    for (const name of ["dist/index.d.ts", "dist/index.d.cts"]) {
      const text = await readFile(new URL(`../../packages/nestjs/${name}`, here));
      await writeFile(new URL(`@plugboard/nestjs/${name}`, folder), text);
    }
    await mkdir(new URL(".types/", folder), { recursive: true });
    file = fileURLToPath(new URL(".types/program.mts", folder));
    await writeFile(file, await readFile(new URL("types/program.mts", here)));
  });

  it("compiles with our declarations, which are checked too", () => {
    expect(errorsIn([file], { ...strict, skipLibCheck: false })).toEqual([]);
  }, 120_000);
});

describe("the programs of these tests", () => {
  beforeAll(() => prepareNest("12"));

  it("are accepted by the compiler, with Nest 12 and our types as users get them", async () => {
    expect(await typeErrors("12")).toEqual([]);
  }, 120_000);
});

describe("the programs of the README", () => {
  beforeAll(() => prepareNest("12"));

  it("are accepted by the compiler as they stand, each a file", async () => {
    const folder = new URL("nest-12/node_modules/.readme/", here);
    await mkdir(folder, { recursive: true });
    const page = await readFile(new URL("../../packages/nestjs/README.md", here), "utf8");
    const programs = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = ""]) => code);
    expect(programs.length).toBeGreaterThan(4);
    // What a page uses of a library that is not installed here.
    programs.push(`declare module "prom-client" {
      export class Gauge {
        constructor(options: { name: string; help: string; collect(this: Gauge): void });
        set(value: number): void;
      }
    }`);
    const files = await Promise.all(
      programs.map(async (code, index) => {
        const kind = code.startsWith("declare") ? "d.ts" : "mts";
        const file = fileURLToPath(new URL(`${index}.${kind}`, folder));
        await writeFile(file, code);
        return file;
      }),
    );
    expect(errorsIn(files, { ...strict, skipLibCheck: true })).toEqual([]);
  }, 120_000);
});
