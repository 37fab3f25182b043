/** The client for browsers, workers, React Native and every other host with the globals of the web. */
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
import { webHost } from "./host.js";
import { Fetch as FetchClass } from "./transports/fetch.js";
import { Transport as TransportClass } from "./transports/transport.js";
import { WebSocket as WebSocketClass } from "./transports/websocket.js";
import { WebTransport as WebTransportClass } from "./transports/webtransport.js";
import { XHR as XHRClass } from "./transports/xhr.js";

const io: Lookup = /* @__PURE__ */ defineClient({
  host: webHost,
  Engine: UpgradingEngine,
  transports: { polling: XHRClass, websocket: WebSocketClass, webtransport: WebTransportClass },
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
/** Polling over `fetch`. */
export const Fetch: TransportConstructor = FetchClass as unknown as TransportConstructor;
/** What a transport of your own extends. */
export const Transport: BaseTransportConstructor = TransportClass as unknown as BaseTransportConstructor;
/** WebSocket by the class that the host has built in. */
export const WebSocket: TransportConstructor = WebSocketClass as unknown as TransportConstructor;
/** WebTransport by the class of the browser. */
export const WebTransport: TransportConstructor = WebTransportClass as unknown as TransportConstructor;
/** Polling over `XMLHttpRequest`. */
export const XHR: TransportConstructor = XHRClass as unknown as TransportConstructor;
// What Node has its own classes for is the same here.
export { WebSocket as NodeWebSocket, XHR as NodeXHR };
export type * from "./public-types.js";
