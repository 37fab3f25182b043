export { createDebug, type Debug } from "./debug.js";
export { runMiddlewareChain } from "./middleware-chain.js";
export { corsMiddleware } from "./node/cors-middleware.js";
export { RequestFront } from "./node/request-front.js";
export { boundRestOfBody } from "./node/rest-of-body.js";
export { generateSessionId } from "./session-id.js";
export { preferredEncoding } from "./transports/polling-compression.js";
export { prepareFrame } from "./transports/websocket-frame.js";
export type { WebSocketChannel, WebSocketChannelEvents } from "./transports/websocket-channel.js";
