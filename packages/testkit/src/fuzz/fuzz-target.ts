import type { Random } from "./random.js";

/** What reaches an entry point, in order. */
export type FuzzInput = ReadonlyArray<string | Uint8Array>;

/** An entry point, running. */
export interface FuzzSession {
  /**
   * Feeds one input, whole and split where the entry point is a stream, and says in a few words what came of it.
   *
   * @throws when the invariant of the target does not hold
   */
  run(input: FuzzInput): string | Promise<string>;
  /** Throws unless those who share the entry point are unharmed, and nothing is left of the inputs before. */
  checkOthers?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

/** One entry point for hostile input. */
export interface FuzzTarget {
  readonly name: string;
  /** Makes an input from random numbers alone, so that the same numbers give the same input. */
  generate(random: Random): FuzzInput;
  /** Inputs of about `size` bytes; each asks for something that might cost more than its size. */
  readonly growing: Readonly<Record<string, (size: number) => FuzzInput>>;
  open(): FuzzSession | Promise<FuzzSession>;
}

/** An input with what came of it, as a JSON value: strings as UTF-16 in base64, because they need not be well-formed. */
export interface StoredInput {
  readonly outcome: string;
  readonly chunks: ReadonlyArray<{ readonly text: string } | { readonly bytes: string }>;
}

export function storeInput(outcome: string, input: FuzzInput): StoredInput {
  const chunks = input.map((chunk) =>
    typeof chunk === "string"
      ? { text: Buffer.from(chunk, "utf16le").toString("base64") }
      : { bytes: Buffer.from(chunk).toString("base64") },
  );
  return { outcome, chunks };
}

export function loadInput({ chunks }: Pick<StoredInput, "chunks">): FuzzInput {
  return chunks.map((chunk) =>
    "text" in chunk
      ? Buffer.from(chunk.text, "base64").toString("utf16le")
      : new Uint8Array(Buffer.from(chunk.bytes, "base64")),
  );
}
