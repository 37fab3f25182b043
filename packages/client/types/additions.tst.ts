import { io, type Socket } from "@plugboard/client";
import { expect, test } from "tstyche";

declare module "@plugboard/client" {
  interface Socket {
    traceId?: string;
  }
}

test("a program can add members to the sockets of every manager", () => {
  expect(io().traceId).type.toBe<string | undefined>();
  expect({} as Socket<{ hello: () => void }>["traceId"]).type.toBe<string | undefined>();
  expect(io().io.socket("/").traceId).type.toBe<string | undefined>();
});
