import type { Engine as EngineContract, EngineConstructor } from "./contract.js";
import { EngineServer } from "./engine.js";

/** The Engine.IO server, as a constructor without private members in its type. */
export const Engine: EngineConstructor = EngineServer as unknown as EngineConstructor;
/** The Engine.IO server. */
export type Engine = EngineContract;
export type { EngineConstructor, HandshakeRequest, Session, SessionReceiver } from "./contract.js";
export type { CookieOptions } from "./handshake-cookie.js";
export { BodyError, parseQuery } from "./http-port.js";
export type { HeaderFields, HttpAnswer, HttpRequestLike, Query } from "./http-port.js";
export type { CorsSettings } from "./node/cors-middleware.js";
export type { EngineMiddleware } from "./node/engine-middleware.js";
export type {
  AllowRequest,
  AttachOptions,
  EngineListenerFailure,
  EngineOptions,
  PerMessageDeflateOptions,
  ResolvedEngineOptions,
  SlowConsumerPolicy,
  TransportName,
  WebSocketEngine,
} from "./options.js";
export type { ReadyState } from "./session-states.js";
export { TransportError } from "./transport-error.js";
export type { QueuedPacket, SendCallback, SendOptions, Transport, TransportEvents } from "./transports/transport.js";
export type { PreparedFrame } from "./transports/websocket-frame.js";
