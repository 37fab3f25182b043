// Puts @plugboard/nestjs as it was built here into node_modules. A copy, for Node follows links, and would find the Nest
// of the checkout; the other packages need none, and are found at its root.
import { cp, rm } from "node:fs/promises";

const from = new URL("../../packages/nestjs/", import.meta.url);
const to = new URL("node_modules/@plugboard/nestjs/", import.meta.url);
await rm(to, { recursive: true, force: true });
for (const name of ["package.json", "dist"]) await cp(new URL(name, from), new URL(name, to), { recursive: true });
