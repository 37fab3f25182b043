import { expect, it } from "vitest";
import { describeError } from "./error-answers.js";

it.each(["name", "getError", "getStatus"])(
  "an error whose %s throws when it is read says nothing to clients",
  (name) => {
    const error = Object.defineProperty(new Error("odd"), name, {
      get: () => {
        throw new Error("read");
      },
    });
    const { answer, isInternal } = describeError(error, true);
    expect(isInternal).toBe(true);
    expect(answer.code).toBe("SIO_INTERNAL_ERROR");
  },
);
