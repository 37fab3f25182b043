/*
 * The one place of the client that knows `ws`. On Bun the name stands for Bun's own, which has no socket to look at.
 */
import type { ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { type ClientOptions, WebSocket as WsWebSocket } from "ws";
import type { WritePacket } from "../transports/transport.js";
import { WebSocket, type WebSocketLike } from "../transports/websocket.js";
import { connectionOptions } from "./connection-options.js";
import { jarOf, withCookies } from "./cookie-jar.js";

const DEFAULT_THRESHOLD_BYTES = 1024;

const COMPRESSED = { compress: true } as const;
const UNCOMPRESSED = { compress: false } as const;

/** WebSocket by `ws`: headers, agents and TLS options of Node apply, and messages may be compressed. */
export class NodeWebSocket extends WebSocket {
  readonly _threshold: number = thresholdOf(this.opts.perMessageDeflate);
  _socket: Socket | undefined = undefined;

  override onOpen(): void {
    this._socket = (this.ws as unknown as { _socket?: Socket })._socket;
    // Happens once; `ws` keeps three objects for such a listener.
    if (this.ws) this.ws.onopen = null;
    super.onOpen();
  }

  /** A batch leaves in one write; nothing waits for more, for a program may end the process right after it has sent. */
  override write(packets: readonly WritePacket[]): void {
    this._socket?.cork?.();
    super.write(packets);
    this._socket?.uncork?.();
  }

  override createSocket(uri: string): WebSocketLike {
    const { autoUnref, extraHeaders = {}, protocols = [] } = this.opts;
    const options: ClientOptions = {
      perMessageDeflate: { threshold: DEFAULT_THRESHOLD_BYTES },
      ...connectionOptions(this.opts, "perMessageDeflate", "protocolVersion", "origin", "maxPayload"),
      headers: withCookies(extraHeaders, jarOf(this)?.header()) as Record<string, string>,
    };
    if (autoUnref) options.finishRequest = unrefRequest;
    const ws = new WsWebSocket(uri, protocols, options);
    ws.on("message", (data: Buffer, isBinary: boolean) => this.onData(isBinary ? data : data.toString()));
    return ws as unknown as WebSocketLike;
  }

  override _sendFrame(data: string | Uint8Array, packet: WritePacket): void {
    const isLong = data.length >= this._threshold || Buffer.byteLength(data) >= this._threshold;
    const options = isLong && packet.options?.compress !== false ? COMPRESSED : UNCOMPRESSED;
    (this.ws as unknown as WsWebSocket).send(data, options);
  }
}

function unrefRequest(request: ClientRequest): void {
  request.on("socket", (socket) => socket.unref());
  request.end();
}

function thresholdOf(perMessageDeflate: unknown): number {
  if (perMessageDeflate === false) return Infinity;
  return (perMessageDeflate as { threshold?: number } | undefined)?.threshold ?? DEFAULT_THRESHOLD_BYTES;
}
