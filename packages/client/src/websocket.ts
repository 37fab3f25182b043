/** The client of the web without the fallback: websocket only. */
import type { DefaultEventsMap, EventsMap } from "@plugboard/protocol";
import {
  type BaseTransportConstructor,
  type Lookup,
  type Manager as ManagerInterface,
  type ManagerConstructor,
  Socket,
  type TransportConstructor,
} from "./contract.js";
import { defineClient } from "./define-client.js";
import { Engine } from "./engine/engine.js";
import { webHost } from "./host.js";
import { Transport as TransportClass } from "./transports/transport.js";
import { WebSocket as WebSocketClass } from "./transports/websocket.js";

const io: Lookup = /* @__PURE__ */ defineClient({
  host: webHost,
  Engine,
  transports: { websocket: WebSocketClass },
});

/** One connection and the sockets on it. */
export interface Manager<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends ManagerInterface<ListenEvents, EmitEvents> {}
/** The class of managers. */
export const Manager: ManagerConstructor = io.Manager;

/** Version of the Socket.IO protocol. */
export const protocol: number = io.protocol;

// Node hands out the export of this name where CommonJS code calls `require()`; the CommonJS build does the same.
export { io, io as connect, io as default, io as "module.exports", Socket };
/** What a transport of your own extends. */
export const Transport: BaseTransportConstructor = TransportClass as unknown as BaseTransportConstructor;
/** WebSocket by the class that the host has built in. */
export const WebSocket: TransportConstructor = WebSocketClass as unknown as TransportConstructor;
export type * from "./public-types.js";
