/** The client for Node.js, Bun and Deno. */
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
import { UpgradingEngine } from "./engine/upgrading-engine.js";
import { NodeFetch } from "./node/node-fetch.js";
import { nodeHost } from "./node/node-host.js";
import { NodeWebSocket as NodeWebSocketClass } from "./node/node-websocket.js";
import { NodeXHR as NodeXHRClass } from "./node/node-xhr.js";
import { Transport as TransportClass } from "./transports/transport.js";
import { WebSocket as WebSocketClass } from "./transports/websocket.js";
import { WebTransport as WebTransportClass } from "./transports/webtransport.js";
import { XHR as XHRClass } from "./transports/xhr.js";

const io: Lookup = /* @__PURE__ */ defineClient({
  host: nodeHost,
  Engine: UpgradingEngine,
  transports: { polling: NodeXHRClass, websocket: NodeWebSocketClass, webtransport: WebTransportClass },
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

export { io, io as connect, io as default, Socket };
/** Polling over `fetch`. */
export const Fetch: TransportConstructor = NodeFetch as unknown as TransportConstructor;
/** WebSocket by the package `ws`. */
export const NodeWebSocket: TransportConstructor = NodeWebSocketClass as unknown as TransportConstructor;
/** Polling over Node's own `http` and `https`. */
export const NodeXHR: TransportConstructor = NodeXHRClass as unknown as TransportConstructor;
/** What a transport of your own extends. */
export const Transport: BaseTransportConstructor = TransportClass as unknown as BaseTransportConstructor;
/** WebSocket by the class that the host has built in. */
export const WebSocket: TransportConstructor = WebSocketClass as unknown as TransportConstructor;
/** WebTransport by the class of the browser. */
export const WebTransport: TransportConstructor = WebTransportClass as unknown as TransportConstructor;
/** Polling over `XMLHttpRequest`. */
export const XHR: TransportConstructor = XHRClass as unknown as TransportConstructor;
/** The rest of the exports: the function is all that `require()` gives. */
interface Transports {
  readonly Fetch: TransportConstructor;
  readonly NodeWebSocket: TransportConstructor;
  readonly NodeXHR: TransportConstructor;
  readonly Transport: BaseTransportConstructor;
  readonly WebSocket: TransportConstructor;
  readonly WebTransport: TransportConstructor;
  readonly XHR: TransportConstructor;
}

const required: Lookup & Transports = Object.assign(io, {
  Fetch,
  NodeWebSocket,
  NodeXHR,
  Transport,
  WebSocket,
  WebTransport,
  XHR,
});
// Node hands out the export of this name where CommonJS code calls `require()`; the CommonJS build does the same.
export { required as "module.exports" };
export type * from "./public-types.js";
