import { defineEvents, EventError, parse } from "@plugboard/contract";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type } from "arktype";
import * as v from "valibot";
import { libraries } from "./libraries.js";

const failureOf = (validate: () => unknown): EventError => {
  try {
    validate();
  } catch (error) {
    return error as EventError;
  }
  throw new Error("nothing was thrown");
};

describe.each(libraries)("a schema of $name", ({ todo, created }) => {
  it("may stand in a contract", () => {
    const contract = defineEvents({ client: { "todo:add": { payload: todo, ack: created } } });
    expect(contract.client["todo:add"].payload).toBe(todo);
  });

  it("lets a valid value through", () => {
    expect(parse(todo, { title: "Tea", tags: ["hot"] })).toEqual({ title: "Tea", tags: ["hot"] });
  });

  it("refuses an invalid one with the path of the place", () => {
    const error = failureOf(() => parse(todo, { title: "Tea", tags: ["hot", 1] }));
    expect(error).toMatchObject({
      code: "SIO_INVALID_PAYLOAD",
      message: expect.stringMatching(/^Invalid payload at tags\[1\]: ./),
      data: { issues: [{ path: ["tags", 1], message: expect.any(String) }] },
    });
  });

  it("refuses a value that is nothing of the kind", () => {
    const error = failureOf(() => parse(created, undefined, "SIO_INVALID_ACK"));
    expect(error.code).toBe("SIO_INVALID_ACK");
    expect(error.message).toMatch(/^Invalid acknowledgement: ./);
  });
});

describe("what the schemas of libraries can do", () => {
  it("asynchronous refinement of zod gives a promise", async () => {
    const free = z.string().refine(async (name) => name !== "taken", "is taken");
    await expect(parse(free, "new")).resolves.toBe("new");
    await expect(parse(free, "taken")).rejects.toMatchObject({ message: "Invalid payload: is taken" });
  });

  it("transformations give what they make of the value", () => {
    expect(parse(z.object({ at: z.coerce.date() }), { at: "2030-01-01" })).toEqual({ at: new Date("2030-01-01") });
    expect(parse(v.pipe(v.string(), v.trim()), " a ")).toBe("a");
    expect(parse(type("string.numeric.parse"), "12")).toBe(12);
  });

  it("a message that quotes a huge value is cut", () => {
    const error = failureOf(() => parse(v.number(), "x".repeat(100_000)));
    expect(JSON.stringify(error.data).length).toBeLessThan(500);
  });
});
