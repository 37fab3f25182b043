export { SocketIoAdapter, type ProviderSource } from "./socket-io-adapter.js";
export { SocketIoModule, type SocketIoFeature, type SocketIoModuleExtras } from "./socket-io.module.js";
export type { SessionOptions } from "./shared-sessions.js";
export type { AckOptions, FailedEvent, RateLimits, ShutdownOptions, SocketIoOptions } from "./options.js";
export type { NestjsError, NestjsErrorCode } from "./nestjs-error.js";
export { InjectNamespace, InjectServer, namespaceToken, SOCKET_IO_SERVER } from "./tokens.js";
export {
  Ack,
  MessageArg,
  SocketMiddleware,
  UseConnectionGuards,
  WsData,
  WsEventName,
  WsParam,
  WsRoom,
  WsSession,
  WsUser,
} from "./decorators.js";
export { WsEvent, type WsEventDecorator } from "./contract-events.js";
export type { SocketMiddlewareClass } from "./gateways.js";
export { CONNECT_PATTERN } from "./admission.js";
export { createTestClient, type TestedApplication } from "./create-test-client.js";
export { SocketIoHealthIndicator, type SocketIoHealth } from "./health-indicator.js";
export type { SocketIoCounts } from "./counters.js";
export { SocketIoMetrics } from "./metrics.js";
export { AckTimeout, Concurrency, Serial } from "./event-rules.js";
export { WsContext } from "./ws-context.js";
export { AckExceptionFilter } from "./ack-exception-filter.js";
export { InjectSocket } from "./current-socket.js";
export { WsReason } from "./ws-reason.js";
