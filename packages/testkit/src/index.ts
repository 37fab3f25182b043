export { httpRequestContract, type RequestUnderTest, type RequestWanted } from "./contracts/http-request-contract.js";
export { webSocketChannelContract, type ChannelUnderTest } from "./contracts/websocket-channel-contract.js";
export { message, RecordedEvents, transportContract, type TransportUnderTest } from "./contracts/transport-contract.js";
export { Inbox } from "./inbox.js";
export { MemoryChannel } from "./memory-channel.js";
export { MemoryRequest, type MemoryRequestInit } from "./memory-request.js";
export { RawPollingPeer } from "./raw-polling-peer.js";
export { RawWebSocketPeer } from "./raw-websocket-peer.js";
