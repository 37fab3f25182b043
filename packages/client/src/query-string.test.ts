import { describe, expect, it } from "vitest";
import { parseQuery, queryString } from "./query-string.js";

describe("query strings", () => {
  it("encode keys and values", () => {
    expect(queryString({ "a&b": "c=d?", e: 1, f: "" })).toBe("a%26b=c%3Dd%3F&e=1&f=");
  });

  it("are read back, with further equal signs in the value and nothing for a bare key", () => {
    expect(parseQuery("a%26b=c%3Dd%3F&e=1=2&f&g=")).toEqual({ "a&b": "c=d?", e: "1=2", f: "", g: "" });
  });

  it("leave alone what is not encoded as it should be", () => {
    expect(parseQuery("a=100%&%E0%A4%A=b")).toEqual({ a: "100%", "%E0%A4%A": "b" });
  });
});
