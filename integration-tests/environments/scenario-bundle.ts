import { fileURLToPath } from "node:url";
import { rolldown, type RolldownOptions } from "rolldown";
import { clientFile } from "./client-files.js";

/** Bundles a program of this folder, with the scenarios in it, so that hosts without TypeScript can run it. */
export function bundle(entry: string, format: "iife" | "esm"): Promise<string> {
  const input = fileURLToPath(new URL(entry, import.meta.url));
  return generate({ input, resolve: { extensionAlias: { ".js": [".ts"] } } }, format);
}

/**
 * Bundles the client, as a program would that imports it, into a script that leaves its exports in the global `client`.
 * @param addition - a module whose exports are added
 */
export function bundleClient(addition?: string): Promise<string> {
  const client = clientFile("socket.io.esm.min.js");
  const entry = [client, addition].filter((path) => path !== undefined);
  const text = entry.map((path) => `export * from ${JSON.stringify(path)};`).join("\n");
  const plugin = {
    name: "entry",
    resolveId: (id: string) => (id === "entry" ? id : undefined),
    load: (id: string) => (id === "entry" ? text : undefined),
  };
  return generate({ input: "entry", plugins: [plugin], resolve: { alias: { "@plugboard/client": client } } }, "iife");
}

async function generate(options: RolldownOptions, format: "iife" | "esm"): Promise<string> {
  const build = await rolldown({ external: /^node:/, platform: "neutral", tsconfig: false, ...options });
  const { output } = await build.generate({ format, name: "client", exports: "named" });
  await build.close();
  return output[0].code;
}
