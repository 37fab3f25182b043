import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The package whose client is driven here. `PLUGBOARD_TEST_CLIENT=socket.io-client` drives the published one instead, which
 * proves the tests right in browsers, Node, Bun and Deno. What fails there is what it does not do: Blobs outside of browsers,
 * cookies of the own origin with `Fetch`, more than every second connection closed when the network is gone.
 */
export const clientPackage: string = process.env["PLUGBOARD_TEST_CLIENT"] ?? "@plugboard/client";

const folder = new URL(`../../node_modules/${clientPackage}/dist/`, import.meta.url);

/** Bundles as they are published, for pages and other hosts without a module resolver. */
export type ClientBundle = "socket.io.esm.min.js" | "socket.io.min.js" | "socket.io.js";

/** Path of a built bundle. */
export function clientFile(name: ClientBundle): string {
  return fileURLToPath(new URL(name, folder));
}

/** Text of a built bundle. */
export function clientBundle(name: ClientBundle): string {
  return readFileSync(clientFile(name), "utf8");
}
