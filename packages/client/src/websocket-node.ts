/** The client for Node.js, Bun and Deno without the fallback: websocket only. */
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
import { nodeHost } from "./node/node-host.js";
import { NodeWebSocket as NodeWebSocketClass } from "./node/node-websocket.js";
import { Transport as TransportClass } from "./transports/transport.js";

const io: Lookup = /* @__PURE__ */ defineClient({
  host: nodeHost,
  Engine,
  transports: { websocket: NodeWebSocketClass },
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
/** WebSocket by the package `ws`. */
export const NodeWebSocket: TransportConstructor = NodeWebSocketClass as unknown as TransportConstructor;
/** What a transport of your own extends. */
export const Transport: BaseTransportConstructor = TransportClass as unknown as BaseTransportConstructor;
export type * from "./public-types.js";
