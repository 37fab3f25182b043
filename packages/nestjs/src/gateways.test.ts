import { describe, expect, it } from "vitest";
import { SocketMiddleware, UseConnectionGuards } from "./decorators.js";
import { connectionGuardsOf, socketMiddlewaresOf, type Gateway } from "./gateways.js";

class Nothing {}

/** A gateway as Nest has made it, with what its decorators name. */
const made = (type: Gateway["type"], provider: new () => object): Gateway =>
  ({ type, injectables: new Map([[provider, { instance: new provider() }]]) }) as unknown as Gateway;

describe("what is asked at connect", () => {
  it("is told of at the start when it is no guard", () => {
    class Chat {}
    UseConnectionGuards(Nothing as never)(Chat);
    expect(() => connectionGuardsOf(made(Chat, Nothing), "own")).toThrow(
      "Nothing of Chat is no guard: it has no method canActivate (SIO_NESTJS_INVALID_OPTION)",
    );
  });

  it("is told of at the start when it is no middleware", () => {
    class Chat {}
    SocketMiddleware(Nothing as never)(Chat);
    expect(() => socketMiddlewaresOf(made(Chat, Nothing))).toThrow("Nothing of Chat is no middleware of sockets");
  });

  it("is told of when Nest has not made it", () => {
    class Chat {}
    UseConnectionGuards(Nothing as never)(Chat);
    const gateway = { type: Chat, injectables: new Map() } as unknown as Gateway;
    expect(() => connectionGuardsOf(gateway, "own")).toThrow("Nothing of Chat was not made by Nest");
  });
});
