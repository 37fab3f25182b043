import fc from "fast-check";
import { expect, it } from "vitest";
import { portableByteHost } from "./index.js";

// Node's Buffer is what the other end of most connections decodes with: it is the reference here.

it("encodes bytes as Buffer does and decodes them again", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const text = portableByteHost.encodeBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64"));
      expect(portableByteHost.decodeBase64(text)).toEqual(bytes);
    }),
  );
});

it("decodes any ASCII text as Buffer does", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary-ascii" }),
    fc.array(fc.constantFrom("A", "z", "9", "+", "/", "-", "_", "=", "\n", "!")).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (given) => {
      expect(portableByteHost.decodeBase64(given)).toEqual(new Uint8Array(Buffer.from(given, "base64")));
    }),
  );
});

it("skips characters beyond ASCII", () => {
  expect(portableByteHost.decodeBase64("A€Q\u0141ID")).toEqual(Uint8Array.of(1, 2, 3));
});

it("encodes a megabyte", () => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 7);
  const text = portableByteHost.encodeBase64(bytes);
  expect(text === Buffer.from(bytes).toString("base64")).toBe(true);
  expect(Buffer.compare(portableByteHost.decodeBase64(text), bytes)).toBe(0);
});
