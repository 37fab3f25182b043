import { EventError } from "./event-error.js";
import type { InferOutput, StandardIssue, StandardResult, StandardSchema } from "./standard-schema.js";

/** What `parse` says is invalid. */
export type InvalidCode = "SIO_INVALID_PAYLOAD" | "SIO_INVALID_ACK";

/** One thing that is wrong with a value, as it stands in `data.issues` of the error of `parse`. */
export interface Issue {
  /** Keys and indexes from the value down to the place. Empty: the value itself. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

// Issues go back to who sent the value, and much of them may be of its making: names of members, quoted values.
const MAX_ISSUES = 20;
const MAX_PATH_LENGTH = 32;
const MAX_KEY_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 300;

const headings: Record<InvalidCode, string> = {
  SIO_INVALID_PAYLOAD: "Invalid payload",
  SIO_INVALID_ACK: "Invalid acknowledgement",
};

/**
 * Validates a value.
 *
 * @param code - code of the error. Default: `SIO_INVALID_PAYLOAD`.
 * @returns what the schema made of the value; a promise of it when the schema validates asynchronously
 * @throws EventError, or the promise rejects with it, when the value is invalid. Its message names the first place, its
 * `data` is `{ issues: { path, message }[] }`: at most 20 issues, paths of at most 32 keys, keys of at most 100 characters,
 * messages of at most 300. A schema that throws, or whose result is none, makes a value invalid too; what it threw is the
 * `cause` of the error and not in `data`.
 */
export function parse<Schema extends StandardSchema>(
  schema: Schema,
  value: unknown,
  code: InvalidCode = "SIO_INVALID_PAYLOAD",
): InferOutput<Schema> | Promise<InferOutput<Schema>> {
  let result;
  try {
    result = schema["~standard"].validate(value);
  } catch (cause) {
    throw notValidated(code, cause);
  }
  if (!isPromise(result)) return valueOf(result, code);
  return result.then(
    (settled) => valueOf(settled, code),
    (cause) => {
      throw notValidated(code, cause);
    },
  );
}

/** Promises of other realms and libraries count as well. */
export function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as Partial<Promise<Value>> | null | undefined)?.then === "function";
}

function valueOf<Output>(result: StandardResult<Output>, code: InvalidCode): Output {
  let error;
  try {
    if (!result.issues) return result.value;
    error = invalid(code, result.issues);
  } catch (cause) {
    error = notValidated(code, cause);
  }
  throw error;
}

function invalid(code: InvalidCode, found: readonly StandardIssue[]): EventError {
  const issues = firstOf(found, MAX_ISSUES).map((issue): Issue => ({
    path: pathOf(issue),
    message: cut(issue.message, MAX_MESSAGE_LENGTH),
  }));
  return new EventError(code, describe(code, issues, found.length), { issues });
}

function notValidated(code: InvalidCode, cause: unknown): EventError {
  const issues: Issue[] = [{ path: [], message: "it could not be validated" }];
  return new EventError(code, describe(code, issues, 1), { issues }, { cause });
}

function pathOf({ path = [] }: StandardIssue): Issue["path"] {
  return firstOf(path, MAX_PATH_LENGTH).map((segment) => {
    const key = typeof segment === "object" ? segment.key : segment;
    return typeof key === "number" ? key : cut(String(key), MAX_KEY_LENGTH);
  });
}

/** Not `slice`: lists of libraries may be of a subclass of Array whose constructor takes something else. */
function firstOf<Item>(items: readonly Item[], count: number): Item[] {
  return Array.from({ length: Math.min(items.length, count) }, (_, index) => items[index] as Item);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** "Invalid payload at items[0].name: expected a string (and 2 more issues)" */
function describe(code: InvalidCode, [first]: readonly Issue[], count: number): string {
  if (first === undefined) return headings[code];
  const place = first.path.length === 0 ? "" : ` at ${first.path.map(step).join("")}`;
  const more = count > 1 ? ` (and ${count - 1} more issue${count > 2 ? "s" : ""})` : "";
  return `${headings[code]}${place}: ${first.message}${more}`;
}

function step(key: string | number, index: number): string {
  if (typeof key === "string" && /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) return index === 0 ? key : `.${key}`;
  return `[${JSON.stringify(key)}]`;
}
