import { describe, expect, it } from "vitest";
import { cookieHeader } from "./cookie-header.js";

describe("cookieHeader", () => {
  it("encodes values given by name, so that any text arrives", () => {
    expect(cookieHeader({ theme: "dark", "connect.sid": "s:a.b/c+d=", name: "Zoë; admin=1\r\nx: y" })).toBe(
      "theme=dark; connect.sid=s%3Aa.b%2Fc%2Bd%3D; name=Zo%C3%AB%3B%20admin%3D1%0D%0Ax%3A%20y",
    );
    expect(cookieHeader({})).toBe("");
  });

  it("takes texts as they are, without the attributes of a set-cookie header", () => {
    expect(cookieHeader(["a=1", "sid=s%3Ax.y=; Path=/; HttpOnly", ' b = "2" '])).toBe('a=1; sid=s%3Ax.y=; b="2"');
  });

  it.each([
    ["a name that is none", { "a b": "1" }],
    ["a name with a line break", { "a\r\nx": "1" }],
    ["an empty name", ["=1"]],
    ["no value", ["a"]],
    ["a line break in a text", ["a=1\r\nx-admin: 1"]],
    ["characters beyond ASCII in a text", ["a=ü"]],
  ])("refuses %s", (_case, cookies) => {
    expect(() => cookieHeader(cookies as string[])).toThrow(TypeError);
  });
});
