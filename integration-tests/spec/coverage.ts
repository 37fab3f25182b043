import { readFileSync } from "node:fs";

/** Which test proves what. A test is named by its file (from the root) and its full name: `file > describe > it`. */
export interface Coverage {
  /** One entry for each number of section 4 of the specification, in order. */
  readonly behaviours: readonly Behaviour[];
  /** What packages of others read of our classes (section 3.10), and who. */
  readonly publicByContract: readonly ContractedClass[];
}

export interface Behaviour {
  readonly number: number;
  /** In a few words of ours. */
  readonly summary: string;
  /** The tests that prove it, all of them together. */
  readonly tests?: readonly string[];
  /** Instead: the section of the specification that it waits for. */
  readonly later?: string;
}

interface ContractedClass {
  readonly class: string;
  readonly fields: readonly string[];
  readonly readBy: readonly string[];
  readonly test: string;
}

export const coverage: Coverage = JSON.parse(readFileSync(new URL("./coverage.json", import.meta.url), "utf8"));
