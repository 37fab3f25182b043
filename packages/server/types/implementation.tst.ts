import { describe, expect, test } from "tstyche";
import type { InMemoryAdapter } from "../src/adapter.js";
import type { BroadcastOperatorImplementation, RemoteSocketImplementation } from "../src/broadcast-operator.js";
import type { ClientImplementation } from "../src/client.js";
import type {
  Adapter,
  BroadcastOperator,
  Client,
  Namespace,
  ParentNamespace,
  RemoteSocket,
  Server,
  Socket,
} from "@plugboard/server";
import type { NamespaceImplementation } from "../src/namespace.js";
import type { ParentNamespaceImplementation } from "../src/parent-namespace.js";
import type { ServerImplementation } from "../src/server.js";
import type { SocketImplementation } from "../src/socket.js";

// The public interfaces are generic and the classes behind them are not, so the compiler cannot hold one against the other.
// It can at least tell when a class lacks a member.
describe("every public member exists", () => {
  test("on servers, or on the main namespace which they stand for, apart from what packages add to them", () => {
    expect<Exclude<keyof Server, "revoke">>().type.toBeAssignableTo<
      keyof ServerImplementation | keyof NamespaceImplementation
    >();
  });

  test("on namespaces", () => {
    expect<keyof Namespace>().type.toBeAssignableTo<keyof NamespaceImplementation>();
    expect<keyof ParentNamespace>().type.toBeAssignableTo<keyof ParentNamespaceImplementation>();
  });

  test("on sockets, apart from what programs and other packages add to them", () => {
    expect<Exclude<keyof Socket, "traceId" | "session" | "credentials">>().type.toBeAssignableTo<
      keyof SocketImplementation
    >();
  });

  test("on connections, broadcasts, remote sockets and adapters", () => {
    expect<keyof Client>().type.toBeAssignableTo<keyof ClientImplementation>();
    expect<keyof BroadcastOperator<{}, unknown>>().type.toBeAssignableTo<keyof BroadcastOperatorImplementation>();
    expect<keyof RemoteSocket<{}, unknown>>().type.toBeAssignableTo<keyof RemoteSocketImplementation>();
    expect<keyof Adapter>().type.toBeAssignableTo<keyof InMemoryAdapter>();
    expect<InMemoryAdapter>().type.toBeAssignableTo<Adapter>();
  });
});
