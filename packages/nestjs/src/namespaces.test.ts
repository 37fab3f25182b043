import fc from "fast-check";
import { expect, it } from "vitest";
import { namespacePattern } from "./namespaces.js";

/** As it reads: each part is as short as can be. */
function plain(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/:([a-z])/g, "(?<$1>[^/]+?)").replace(/\./g, "\\.")}$`);
}

it("finds the parts of a name as the plain regular expression would", () => {
  const text = fc.string({ unit: fc.constantFrom("-", "/", "."), maxLength: 2 });
  const name = fc.string({ unit: fc.constantFrom("-", "/", ".", "x"), maxLength: 12 });
  const isTheSame = (texts: string[], name: string): void => {
    const pattern = texts.map((text, index) => (index === 0 ? text : `:${"abcd"[index - 1]}${text}`)).join("");
    const own = namespacePattern(pattern) as RegExp;
    expect(own.exec(name)?.groups).toEqual(plain(pattern).exec(name)?.groups);
  };
  fc.assert(fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), name, isTheSame), { numRuns: 2000 });
});

it("does not take minutes for a name that fits many times over, but for its end", () => {
  const pattern = namespacePattern("/seat-:a-:b-:c-:d") as RegExp;
  expect(pattern.test(`/seat-${"-".repeat(1000)}/`)).toBe(false);
  expect(pattern.exec("/seat-1-2-3-4-5")?.groups).toEqual({ a: "1", b: "2", c: "3", d: "4-5" });
});
