import { afterEach, describe, expect, it } from "vitest";
import { parseQuery } from "./http-port.js";
import { largeRecord, smallRecord } from "./record.js";

afterEach(() => {
  delete (Object.prototype as { polluted?: string }).polluted;
});

describe.each([
  { kind: "a small record", create: smallRecord<string> },
  { kind: "a large record", create: largeRecord<string> },
])("$kind", ({ create }) => {
  it("has the methods that programs expect of an object", () => {
    const record = create();
    record["key"] = "value";
    expect([record.hasOwnProperty("key"), record.hasOwnProperty("other")]).toEqual([true, false]);
    expect(`${String(record)} ${JSON.stringify(record)}`).toBe('[object Object] {"key":"value"}');
    expect(Object.keys(record)).toEqual(["key"]);
  });

  it("inherits no value, whatever has become of Object.prototype", () => {
    (Object.prototype as { polluted?: string }).polluted = "yes";
    const record = create();
    expect([record["polluted"], record["constructor"], record["__proto__"]]).toEqual([undefined, undefined, undefined]);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("takes %s as a key like any other", (key) => {
    const record = create();
    record[key] = "value";
    expect(record[key]).toBe("value");
    expect(Object.keys(record)).toEqual([key]);
    expect(Object.hasOwn(create(), key)).toBe(false);
  });
});

describe("parseQuery", () => {
  it("gives such a record", () => {
    const query = parseQuery("/engine.io/?a=1&a=2&toString=x&__proto__=y");
    expect(Object.entries(query)).toEqual([
      ["a", "2"],
      ["toString", "x"],
      ["__proto__", "y"],
    ]);
    expect(Object.hasOwn(query, "hasOwnProperty")).toBe(false);
  });
});
