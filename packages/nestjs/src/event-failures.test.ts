import { expect, it } from "vitest";
import { EventFailures } from "./event-failures.js";
import { resolveOptions } from "./options.js";

it("logs an error whose message throws when it is read", () => {
  const error = Object.defineProperty(new Error("odd"), "message", {
    get: () => {
      throw new Error("read");
    },
  });
  expect(() => new EventFailures(resolveOptions({}).own).log(error)).not.toThrow();
});
