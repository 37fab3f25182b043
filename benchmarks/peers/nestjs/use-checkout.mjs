import { cp } from "node:fs/promises";

/** Copies our package as it was built beside Nest: Node follows links, and would find the Nest of the checkout. */
export async function useCheckout() {
  const from = new URL("../../../packages/nestjs/", import.meta.url);
  const to = new URL("node_modules/@plugboard/nestjs/", import.meta.url);
  for (const name of ["package.json", "dist"]) await cp(new URL(name, from), new URL(name, to), { recursive: true });
}
