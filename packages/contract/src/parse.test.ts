import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventError } from "./event-error.js";
import { parse } from "./parse.js";
import type { StandardIssue, StandardResult, StandardSchema } from "./standard-schema.js";

type Validate = (value: unknown) => StandardResult<unknown> | Promise<StandardResult<unknown>>;

const schemaOf = (validate: Validate): StandardSchema => ({ "~standard": { version: 1, vendor: "test", validate } });
const failing = (...issues: StandardIssue[]) => schemaOf(() => ({ issues }));

/** What `parse` throws or rejects with. */
async function failureOf(schema: StandardSchema, code?: "SIO_INVALID_ACK"): Promise<EventError> {
  try {
    await parse(schema, "value", code);
  } catch (error) {
    return error as EventError;
  }
  throw new Error("the value was valid");
}

describe("parse", () => {
  it("gives what the schema makes of a value, at once", () => {
    expect(
      parse(
        schemaOf((value) => ({ value: [value] })),
        1,
      ),
    ).toEqual([1]);
  });

  it("gives a promise of it when the schema is asynchronous", async () => {
    const result = parse(
      schemaOf(async (value) => ({ value: [value] })),
      1,
    );
    expect(result).toBeInstanceOf(Promise);
    await expect(result).resolves.toEqual([1]);
  });

  it("throws an error with the issues when the value is invalid", () => {
    const schema = failing({ message: "is empty", path: ["title"] });
    expect(() => parse(schema, {})).toThrow(
      expect.objectContaining({
        name: "EventError",
        code: "SIO_INVALID_PAYLOAD",
        message: "Invalid payload at title: is empty",
        data: { issues: [{ path: ["title"], message: "is empty" }] },
      }),
    );
  });

  it("rejects with the same when the schema is asynchronous", async () => {
    const schema = schemaOf(async () => ({ issues: [{ message: "is empty" }] }));
    await expect(parse(schema, "", "SIO_INVALID_ACK")).rejects.toMatchObject({
      code: "SIO_INVALID_ACK",
      message: "Invalid acknowledgement: is empty",
    });
  });

  it.each<{ issues: StandardIssue[]; message: string }>([
    { issues: [], message: "Invalid payload" },
    { issues: [{ message: "no" }], message: "Invalid payload: no" },
    { issues: [{ message: "no", path: [] }], message: "Invalid payload: no" },
    { issues: [{ message: "no", path: ["a", 0, "b"] }], message: "Invalid payload at a[0].b: no" },
    { issues: [{ message: "no", path: [{ key: "a" }, { key: 1 }] }], message: "Invalid payload at a[1]: no" },
    { issues: [{ message: "no", path: ["a b", "c"] }], message: 'Invalid payload at ["a b"].c: no' },
    { issues: [{ message: "no", path: [Symbol("s")] }], message: 'Invalid payload at ["Symbol(s)"]: no' },
    { issues: [{ message: "no" }, { message: "nor this" }], message: "Invalid payload: no (and 1 more issue)" },
    { issues: Array(1000).fill({ message: "no" }), message: "Invalid payload: no (and 999 more issues)" },
  ])("says “$message”", async ({ issues, message }) => {
    expect((await failureOf(failing(...issues))).message).toBe(message);
  });

  it("takes promises of another realm, which are no instances of Promise", async () => {
    const schema = schemaOf(() => runInNewContext("Promise.resolve({ value: 1 })") as Promise<{ value: number }>);
    expect(await parse(schema, 0)).toBe(1);
  });

  it("takes issues and paths that are of a subclass of Array", async () => {
    class Odd<Item> extends Array<Item> {
      constructor(...items: Item[]) {
        super();
        this.push(...items);
      }
    }
    const schema = failing({ message: "no", path: new Odd<PropertyKey>("a", 0) });
    expect((await failureOf(schema)).data).toEqual({ issues: [{ path: ["a", 0], message: "no" }] });
    expect((await failureOf(schemaOf(() => ({ issues: new Odd({ message: "no" }) })))).data).toEqual({
      issues: [{ path: [], message: "no" }],
    });
  });

  it("tells of 20 issues at most, 32 keys of each, 100 characters of a key, 300 of a message", async () => {
    const issue = { message: "m".repeat(1000), path: Array<string>(100).fill("k".repeat(1000)) };
    const { data } = await failureOf(failing(...Array<StandardIssue>(1000).fill(issue)));
    const { issues } = data as { issues: { path: string[]; message: string }[] };
    expect(issues).toHaveLength(20);
    expect(issues[0]?.path).toHaveLength(32);
    expect(issues[0]?.path[0]).toBe(`${"k".repeat(99)}…`);
    expect(issues[0]?.message).toBe(`${"m".repeat(299)}…`);
  });

  describe("of a schema that fails itself", () => {
    const mistake = new EventError("SECRET", "secret text", { secret: true });
    const hostileIssue = {
      get message(): string {
        throw mistake;
      },
    };
    it.each<{ does: string; validate: Validate }>([
      {
        does: "throws",
        validate() {
          throw mistake;
        },
      },
      { does: "rejects", validate: () => Promise.reject(mistake) },
      { does: "has issues that throw", validate: () => ({ issues: [hostileIssue] }) },
      { does: "promises issues that throw", validate: async () => ({ issues: [hostileIssue] }) },
    ])("which $does keeps to itself what happened, but for the logs", async ({ validate }) => {
      const error = await failureOf(schemaOf(validate));
      expect(error).toMatchObject({
        name: "EventError",
        code: "SIO_INVALID_PAYLOAD",
        message: "Invalid payload: it could not be validated",
        data: { issues: [{ path: [], message: "it could not be validated" }] },
      });
      expect(error.cause).toBe(mistake);
    });

    it.each([undefined, null, { issues: 1 }, { issues: [null] }, { issues: [{ message: 1 }] }, { issues: [{}] }])(
      "and has the result %o takes nothing for valid",
      async (result) => {
        expect((await failureOf(schemaOf(() => result as never))).code).toBe("SIO_INVALID_PAYLOAD");
        expect((await failureOf(schemaOf(async () => result as never))).code).toBe("SIO_INVALID_PAYLOAD");
      },
    );
  });

  it("for any value and any issues gives the value or an error that JSON can carry, sync and async alike", async () => {
    const key = fc.oneof(fc.string(), fc.integer(), fc.string().map(Symbol));
    const issue = fc.record({ message: fc.string(), path: fc.array(fc.oneof(key, fc.record({ key }))) });
    const issues = fc.option(fc.array(issue, { minLength: 1 }), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), issues, async (value, found) => {
        const result = found === undefined ? { value } : { issues: found };
        const outcomes = [() => result, async () => result].map(async (validate) => {
          try {
            return { value: await parse(schemaOf(validate), value) };
          } catch (error) {
            const { code, message, data } = error as EventError;
            return { code, message, data };
          }
        });
        const [sync, async] = await Promise.all(outcomes);
        expect(async).toEqual(sync);
        if (found === undefined) expect(sync).toEqual({ value });
        else {
          const data = (sync as EventError).data as { issues: StandardIssue[] };
          expect(JSON.parse(JSON.stringify(data))).toEqual(data);
          expect(data.issues).toHaveLength(Math.min(found.length, 20));
        }
      }),
    );
  });
});
