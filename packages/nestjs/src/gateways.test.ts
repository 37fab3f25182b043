import { UseFilters } from "@nestjs/common";
import { ApplicationConfig } from "@nestjs/core";
import { describe, expect, it } from "vitest";
import { Connection } from "./connection.js";
import { SocketMiddleware, UseConnectionGuards } from "./decorators.js";
import { EventFailures } from "./event-failures.js";
import { EventRules } from "./event-rules.js";
import { LastFilter } from "./filters.js";
import { connectionGuardsOf, prepareGateway, socketMiddlewaresOf, type Gateway } from "./gateways.js";
import { NEST_KEYS } from "./nest-keys.js";
import { resolveOptions, type SocketIoOptions } from "./options.js";

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

describe("a class that serves several applications", () => {
  class Filter {
    catch(): void {}
  }

  /** Prepares it as an application does that has a global filter. */
  function prepare(type: Gateway["type"], given: SocketIoOptions = {}): Filter {
    const config = new ApplicationConfig();
    const filter = new Filter();
    config.addGlobalFilter(filter);
    const options = resolveOptions(given).own;
    const context = { options, config, failures: new EventFailures(options), onInitFailed: () => {} };
    prepareGateway(made(type, Nothing), context);
    return filter;
  }

  const filtersOf = (type: object): unknown => Reflect.getMetadata(NEST_KEYS.filters, type);

  it("has the global filters of the one that came last, before its own and those it inherits", () => {
    class Chat {}
    const own = new Filter();
    UseFilters(own)(Chat);
    class LoudChat extends Chat {}
    for (const type of [Chat, LoudChat]) {
      prepare(type, { globalFilters: true });
      const last = prepare(type, { globalFilters: true });
      expect(filtersOf(type)).toEqual([expect.any(LastFilter), last, own]);
    }
    prepare(LoudChat, { acks: "compat" });
    expect(filtersOf(LoudChat)).toEqual([own]);
  });

  it("has its handleDisconnect awaited by the application of the socket", () => {
    class Chat {
      async handleDisconnect(): Promise<void> {}
    }
    const awaited: string[] = [];
    const connect = (name: string): object => {
      prepare(Chat);
      const options = resolveOptions({}).own;
      const socket = { conn: {} };
      const contextCreator = (): never => expect.unreachable();
      const context = {
        options,
        failures: new EventFailures(options),
        contextCreator,
        track: () => awaited.push(name),
      };
      new Connection(socket as never, context, new EventRules([], Infinity));
      return socket;
    };
    const [first, second] = [connect("first"), connect("second")];
    for (const socket of [first, second, first]) Reflect.apply(new Chat().handleDisconnect, new Chat(), [socket]);
    expect(awaited).toEqual(["first", "second", "first"]);
  });
});
