export { generateSessionId } from "./session-id.js";
export { engineUrlPrefix } from "./options.js";
export { prepareFrame } from "./transports/websocket-frame.js";
export type { WebSocketChannel, WebSocketChannelEvents } from "./transports/websocket-channel.js";
