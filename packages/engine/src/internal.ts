export { runMiddlewareChain } from "./middleware-chain.js";
export { generateSessionId } from "./session-id.js";
export { prepareFrame } from "./transports/websocket-frame.js";
export type { WebSocketChannel, WebSocketChannelEvents } from "./transports/websocket-channel.js";
