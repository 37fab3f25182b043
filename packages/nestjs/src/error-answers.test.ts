import { WsException } from "@nestjs/websockets";
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

it.each([
  [["a", "b"], "a; b"],
  [[{ property: "a" }], "Ws Exception"],
  [[], "Ws Exception"],
])("a list that a WsException is given, as a pipe does, is data: %j", (list, message) => {
  const answer = { status: "error", code: "SIO_EVENT_ERROR", message, data: list };
  expect(describeError(new WsException(list), true)).toEqual({ answer, isInternal: false });
});
