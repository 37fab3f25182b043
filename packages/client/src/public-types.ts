/** The types that every door of this package hands out. */
export type {
  BaseTransport,
  BaseTransportConstructor,
  ClientExports,
  Engine,
  Lookup,
  ManagerConstructor,
  SocketConstructor,
  TransportConstructor,
  WritePacket,
} from "./contract.js";
export type { EngineOptions } from "./engine/engine-options.js";
export type { ManagerOptions, SocketOptions } from "./options.js";
export type {
  DisconnectDescription,
  ExtendedError,
  ManagerReservedEvents,
  SocketReservedEvents,
} from "./reserved-events.js";
export type { DefaultEventsMap, EventsMap } from "@plugboard/protocol";
