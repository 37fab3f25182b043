import { describe, expect, test } from "tstyche";
import type { BaseTransport, Engine as EngineContract, Manager, Socket } from "../src/contract.js";
import type { Engine } from "../src/engine/engine.js";
import type { ClientManager } from "../src/manager.js";
import type { ClientSocket } from "../src/socket.js";
import type { Transport } from "../src/transports/transport.js";

// The public interfaces know events and the classes behind them do not, so the compiler cannot hold one against the other.
// It can at least tell when a class lacks a member.
describe("every public member exists", () => {
  test("on sockets, apart from what programs add to them", () => {
    expect<Exclude<keyof Socket, "traceId">>().type.toBeAssignableTo<keyof ClientSocket>();
  });

  test("on managers", () => {
    expect<keyof Manager>().type.toBeAssignableTo<keyof ClientManager>();
  });

  test("on engines and transports", () => {
    expect<keyof EngineContract>().type.toBeAssignableTo<keyof Engine>();
    expect<keyof BaseTransport>().type.toBeAssignableTo<keyof Transport>();
  });
});
