import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorAnswer, EventError, isErrorAnswer, isEventError } from "./event-error.js";

const internal = { status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" };

describe("an EventError", () => {
  it("is an Error with a code, and data if there are any", () => {
    const error = new EventError("TAKEN", "the name is taken", { name: "a" });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "EventError",
      code: "TAKEN",
      message: "the name is taken",
      data: { name: "a" },
    });
    expect(String(error)).toBe("EventError: the name is taken");
  });

  it("keeps its cause", () => {
    const cause = new Error("disk full");
    expect(new EventError("A", "b", undefined, { cause }).cause).toBe(cause);
    expect("cause" in new EventError("A", "b")).toBe(false);
  });

  it("is known by its name and code, since a program may have loaded the class twice", () => {
    const ofAnotherCopy = Object.assign(new Error("no"), { name: "EventError", code: "NO" });
    expect(isEventError(ofAnotherCopy)).toBe(true);
    expect(errorAnswer(ofAnotherCopy)).toEqual({ status: "error", code: "NO", message: "no" });
  });
});

describe("errorAnswer", () => {
  it("tells code, message and data of an EventError, and not its cause or stack", () => {
    const error = new EventError("TAKEN", "the name is taken", { name: "a" }, { cause: new Error("secret") });
    expect(errorAnswer(error)).toEqual({
      status: "error",
      code: "TAKEN",
      message: "the name is taken",
      data: { name: "a" },
    });
  });

  it("leaves an answer as it is, without what does not belong to one", () => {
    const answer = { status: "error", code: "A", message: "b", data: [1] };
    expect(errorAnswer({ ...answer, password: "secret" })).toEqual(answer);
  });

  it("leaves data out where there are none", () => {
    expect(Object.keys(errorAnswer(new EventError("A", "b")))).toEqual(["status", "code", "message"]);
    expect(errorAnswer(new EventError("A", "b", null))).toHaveProperty("data", null);
  });

  it.each([
    new Error("password of the database"),
    Object.assign(new Error("no such file"), { code: "ENOENT" }),
    { name: "EventError", code: 1, message: "no" },
    { status: "error", message: "b" },
    "text",
    null,
    undefined,
    () => "no",
  ])("tells nothing of anything else (%#)", (error) => {
    expect(isEventError(error)).toBe(false);
    expect(errorAnswer(error)).toEqual(internal);
  });

  it("always makes what isErrorAnswer knows, also after JSON", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.option(fc.jsonValue(), { nil: undefined }), (code, message, data) => {
        const answer = errorAnswer(new EventError(code, message, data));
        expect(isErrorAnswer(answer)).toBe(true);
        expect(isErrorAnswer(JSON.parse(JSON.stringify(answer)))).toBe(true);
      }),
    );
    fc.assert(fc.property(fc.anything(), (error) => isErrorAnswer(errorAnswer(error))));
  });
});

describe("isErrorAnswer", () => {
  it.each([null, undefined, "error", 1, [], { status: "error" }, { status: "ok", code: "A", message: "b" }])(
    "is false of %o",
    (value) => {
      expect(isErrorAnswer(value)).toBe(false);
    },
  );
});
