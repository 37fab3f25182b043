import { describe, expect, it } from "vitest";
import { defaultTokenReader } from "./token-source.js";

describe("the default way to find a token", () => {
  const read = defaultTokenReader("token");

  it("prefers auth.token to the Authorization header, and that to the cookie", () => {
    const headers = { authorization: "Bearer b", cookie: "token=c" };
    expect(read({ auth: { token: "a" }, headers })).toBe("a");
    expect(read({ auth: {}, headers })).toBe("b");
    expect(read({ auth: {}, headers: { cookie: "token=c" } })).toBe("c");
    expect(read({ auth: {}, headers: {} })).toBeUndefined();
  });

  it("hands on what is no string, so that it is refused instead of looked for elsewhere", () => {
    expect(read({ auth: { token: 5 }, headers: { authorization: "Bearer b" } })).toBe(5);
    expect(read({ auth: { token: null }, headers: { authorization: "Bearer b" } })).toBe("b");
  });

  it.each([
    ["bearer b", "b"],
    ["BEARER  b  ", "b"],
    ["Basic b", undefined],
    ["Bearer", undefined],
    ["Bearer a b", undefined],
  ])("reads %j as %j", (authorization, token) => {
    expect(read({ auth: {}, headers: { authorization } })).toBe(token);
  });

  it.each([
    ["a=1; token=x.y.z; b=2", "x.y.z"],
    ["token=first; token=second", "first"],
    ['token="quoted"', "quoted"],
    ["token=a%20b", "a b"],
    ["token=100%", "100%"],
    ["token=a=b", "a=b"],
    ["token=", undefined],
    ["xtoken=1; token", undefined],
    ["", undefined],
  ])("finds in the cookies %j the token %j", (cookie, token) => {
    expect(read({ auth: {}, headers: { cookie } })).toBe(token);
  });

  it("looks at no cookie that it was not told of", () => {
    expect(defaultTokenReader(undefined)({ auth: {}, headers: { cookie: "token=c; undefined=1" } })).toBeUndefined();
  });
});
