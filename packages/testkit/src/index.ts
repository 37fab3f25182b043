export { httpRequestContract, type RequestUnderTest, type RequestWanted } from "./contracts/http-request-contract.js";
export { webSocketChannelContract, type ChannelUnderTest } from "./contracts/websocket-channel-contract.js";
export { socketPairContract, type SocketPair } from "./contracts/socket-pair-contract.js";
export { message, RecordedEvents, transportContract, type TransportUnderTest } from "./contracts/transport-contract.js";
export type { FlakyConditions } from "./flaky-flow.js";
export type { FlakyDirection, FlakyLink, FlakySide } from "./flaky-link.js";
export { FlakyProxy, type FlakyProxyOptions } from "./flaky-proxy.js";
export { Random } from "./fuzz/random.js";
export { eventInbox } from "./event-inbox.js";
export { Inbox } from "./inbox.js";
export { listen } from "./listen.js";
export { MemoryChannel } from "./memory-channel.js";
export { MemoryRequest, type MemoryRequestInit } from "./memory-request.js";
export { exchange, upgradeRequest } from "./raw-exchange.js";
export { RawPollingPeer } from "./raw-polling-peer.js";
export { RawWebSocketPeer } from "./raw-websocket-peer.js";
export { selfSignedCertificate } from "./self-signed-certificate.js";
export { SmallXMLHttpRequest } from "./small-xml-http-request.js";
export { startEngine, type StartedEngine } from "./start-engine.js";
export {
  createWebTransportPair,
  type BidirectionalStream,
  type CloseInfo,
  type WebTransportEnd,
  type WebTransportPair,
} from "./webtransport-pair.js";
