import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RawWebSocketPeer, webSocketChannelContract, type ChannelUnderTest } from "@plugboard/testkit";
import { afterEach } from "vitest";
import { WebSocketServer } from "ws";
import type { EngineOptions } from "../options.js";
import type { WebSocketChannel } from "../transports/websocket-channel.js";
import { createWebSocketAcceptor } from "./ws-channel.js";

const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function accept(options: EngineOptions): Promise<ChannelUnderTest> {
  const server = createServer();
  const acceptor = createWebSocketAcceptor({ maxHttpBufferSize: 1_000_000, ...options }, () => {});
  const accepted = new Promise<WebSocketChannel>((resolve) => {
    server.on("upgrade", (req, socket, head) => acceptor.accept(req, socket, head, resolve));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = new RawWebSocketPeer(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closers.push(
    () => peer.socket.terminate(),
    () => server.close(),
  );
  return { channel: await accepted, peer };
}

class ForeignEngine extends WebSocketServer {}

webSocketChannelContract("our own ws", () => accept({}));
webSocketChannelContract("our own ws with compression", () => accept({ perMessageDeflate: true }));
webSocketChannelContract("an engine of the user's", () => accept({ wsEngine: ForeignEngine as never }));
