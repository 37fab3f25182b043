import { describe, expect, it } from "vitest";
import { connectError } from "./connect-error.js";

describe("connectError", () => {
  it("leaves an error alone that says no more than its message", () => {
    const error = Object.assign(new Error("no"), { data: "kept" });
    expect(connectError(error)).toBe(error);
  });

  it("tells code and status beside the fields of data, and keeps data that is no record under its name", () => {
    const error = connectError(Object.assign(new Error("no"), { code: "LOGIN", status: 401, data: { retry: true } }));
    expect(error.message).toBe("no");
    expect(error.data).toEqual({ code: "LOGIN", status: 401, retry: true });
    expect(connectError(Object.assign(new Error("no"), { statusCode: 403, data: [1] })).data).toEqual({
      status: 403,
      data: [1],
    });
  });

  it("does not tell the stack or the cause, which are not for clients", () => {
    const error = connectError(Object.assign(new Error("no", { cause: "secret" }), { code: "X" }));
    expect(Object.keys(error)).toEqual(["data"]);
    expect(error.cause).toBe(undefined);
  });

  it("makes an error of anything else that was thrown", () => {
    expect(connectError("no").message).toBe("no");
  });
});
