import { readFileSync } from "node:fs";

/** Which test proves what. A test is named by its file (from the root) and its full name: `file > describe > it`. */
export interface Coverage {
  /** One entry for each number of section 4 of the specification of the server, in order. */
  readonly behaviours: readonly Behaviour[];
  /** What packages of others read of our classes (section 3.10), and who. */
  readonly publicByContract: readonly ContractedClass[];
  readonly client: ClientCoverage;
}

/** The same for the specification of the client. */
interface ClientCoverage {
  /** One entry for each number of section 6, in order. */
  readonly behaviours: readonly Behaviour[];
  /** One entry for each defect of the published client, section 7, in order: what ours does instead. */
  readonly defects: readonly Behaviour[];
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
