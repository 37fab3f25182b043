import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

const folderOf = (name: string): string => fileURLToPath(new URL(`../../packages/${name}/`, import.meta.url));

describe.each(["fastify", "express"])("the declarations of @plugboard/%s", (name) => {
  it("import nothing but what is installed with it", async () => {
    const declarations = await readFile(`${folderOf(name)}dist/index.d.ts`, "utf8");
    const manifest = JSON.parse(await readFile(`${folderOf(name)}package.json`, "utf8")) as Manifest;
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
    const needed = Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
    const installed = new Set([...Object.keys(dependencies), ...needed]);
    const imported = ts
      .preProcessFile(declarations)
      .importedFiles.map(({ fileName }) => fileName)
      .filter((module) => !module.startsWith("node:") && !module.startsWith("."));
    expect(imported).not.toEqual([]);
    expect(imported.filter((module) => !installed.has(module))).toEqual([]);
  });

  it("are valid, those of ours that they import too: without skipLibCheck", { timeout: 60_000 }, () => {
    const program = ts.createProgram([`${folderOf(name)}dist/index.d.ts`], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ["node"],
    });
    const ours = program.getSourceFiles().filter(({ fileName }) => fileName.includes("/packages/"));
    expect(ours.length).toBeGreaterThan(3);
    const diagnostics = ours.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]);
    expect(ts.formatDiagnostics(diagnostics, host)).toBe("");
  });
});

const host: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => "",
  getNewLine: () => "\n",
};
