import { expect, it } from "vitest";
import {
  DisconnectReason,
  ENGINE_ERROR_MESSAGES,
  ENGINE_PACKET_TYPES,
  ENGINE_PROTOCOL,
  EngineCloseReason,
  EngineErrorCode,
  PacketType,
  RESERVED_EVENTS,
  SOCKET_PROTOCOL,
} from "./index.js";

it("gives every refusal of a request its code and text", () => {
  const table = Object.entries(EngineErrorCode).map(([name, code]) => [code, name, ENGINE_ERROR_MESSAGES[code]]);
  expect(table).toStrictEqual([
    [0, "UNKNOWN_TRANSPORT", "Transport unknown"],
    [1, "UNKNOWN_SID", "Session ID unknown"],
    [2, "BAD_HANDSHAKE_METHOD", "Bad handshake method"],
    [3, "BAD_REQUEST", "Bad request"],
    [4, "FORBIDDEN", "Forbidden"],
    [5, "UNSUPPORTED_PROTOCOL_VERSION", "Unsupported protocol version"],
  ]);
  expect(Object.keys(ENGINE_ERROR_MESSAGES)).toHaveLength(table.length);
});

it("names the five reasons for which a connection closes", () => {
  expect(Object.values(EngineCloseReason).sort()).toStrictEqual([
    "forced close",
    "parse error",
    "ping timeout",
    "transport close",
    "transport error",
  ]);
});

it("names the nine reasons for which a socket disconnects, those of its connection among them", () => {
  expect(Object.values(DisconnectReason).sort()).toStrictEqual([
    "client namespace disconnect",
    "forced close",
    "forced server close",
    "parse error",
    "ping timeout",
    "server namespace disconnect",
    "server shutting down",
    "transport close",
    "transport error",
  ]);
  expect(DisconnectReason).toMatchObject(EngineCloseReason);
});

it("numbers the packet types of both protocols", () => {
  expect(ENGINE_PROTOCOL).toBe(4);
  expect([...ENGINE_PACKET_TYPES]).toStrictEqual(["open", "close", "ping", "pong", "message", "upgrade", "noop"]);
  expect(SOCKET_PROTOCOL).toBe(5);
  expect(Object.entries(PacketType)).toStrictEqual([
    ["CONNECT", 0],
    ["DISCONNECT", 1],
    ["EVENT", 2],
    ["ACK", 3],
    ["CONNECT_ERROR", 4],
    ["BINARY_EVENT", 5],
    ["BINARY_ACK", 6],
  ]);
});

it("reserves six event names", () => {
  expect([...RESERVED_EVENTS]).toStrictEqual([
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
  ]);
});
