import type { Engine as EngineContract, EngineConstructor, Session, SessionClass } from "./contract.js";
import { EngineServer } from "./engine.js";
import { EngineSession } from "./session.js";

/** The Engine.IO server, as a constructor without private members in its type. */
export const Engine: EngineConstructor = EngineServer as unknown as EngineConstructor;
/** The Engine.IO server. */
export type Engine = EngineContract;

/** One Engine.IO connection: for `instanceof`. */
export const Socket: SessionClass = EngineSession as unknown as SessionClass;
/** One Engine.IO connection: what we call a session goes by this name in `engine.io`. */
export type Socket = Session;

// Names of `engine.io`, for programs written for it; docs/decisions/006 tells which of them are not there.
export { Engine as Server };
export { ENGINE_PROTOCOL as protocol } from "@plugboard/protocol";
export { attach, listen } from "./standalone.js";
export type { EngineOptions as ServerOptions } from "./options.js";

export type { EngineConstructor, HandshakeRequest, Session, SessionClass, SessionReceiver } from "./contract.js";
export type { CookieOptions } from "./handshake-cookie.js";
export { BodyError, parseQuery } from "./http-port.js";
export type { HeaderFields, HttpAnswer, HttpRequestLike, Query } from "./http-port.js";
export type { CorsSettings } from "./node/cors-middleware.js";
export type { EngineMiddleware } from "./node/engine-middleware.js";
export { isAnswering } from "./node/is-answering.js";
export { nodeRequest } from "./node/node-http-request.js";
export type { UpgradeAnswer } from "./node/upgrade-answer.js";
export type {
  AllowRequest,
  AttachOptions,
  EngineListenerFailure,
  EngineOptions,
  HandshakeRefusal,
  OriginCheck,
  PerMessageDeflateOptions,
  ResolvedEngineOptions,
  SlowConsumerPolicy,
  TransportName,
  WebSocketEngine,
} from "./options.js";
export { isSameOrigin } from "./origin-rule.js";
export type { ReadyState } from "./session-states.js";
export { TransportError } from "./transport-error.js";
export type { QueuedPacket, SendCallback, SendOptions, Transport, TransportEvents } from "./transports/transport.js";
export type { PreparedFrame } from "./transports/websocket-frame.js";
