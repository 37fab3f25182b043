import { nextTick } from "../timers.js";
import { requestUri } from "./request-uri.js";
import { Transport, type WritePacket } from "./transport.js";

/** What all WebSocket classes have in common. */
export interface WebSocketLike {
  binaryType: string;
  onopen: (() => void) | null;
  onclose: ((event: unknown) => void) | null;
  onerror: ((event: unknown) => void) | null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null;
  send(data: string | Uint8Array): void;
  close(): void;
}

type WebSocketClass = new (uri: string, protocols?: string | string[], options?: object) => WebSocketLike;

/** WebSocket by the class that the host has built in (spec/client.md 2.10): one packet, one frame. */
export class WebSocket extends Transport {
  ws: WebSocketLike | undefined = undefined;

  readonly _onDrain = (): void => this.onDrain();

  get name(): string {
    return "websocket";
  }

  doOpen(): void {
    const ws = (this.ws = this.createSocket(this.uri()));
    ws.onopen = () => this.onOpen();
    ws.onclose = (context) => this.onClose({ description: "websocket connection closed", context });
    ws.onerror = (event) => this.onError("websocket error", event);
  }

  doClose(): void {
    const { ws } = this;
    if (ws === undefined) return;
    // Closing what has not opened counts as an error there.
    ws.onerror = () => {};
    ws.close();
  }

  write(packets: readonly WritePacket[]): void {
    this.writable = false;
    for (const packet of packets) {
      const data = this.encode(packet);
      try {
        this._sendFrame(data, packet);
      } catch {
        // It is closing: `onclose` follows.
      }
    }
    nextTick(this._onDrain);
  }

  /** Where it connects to. */
  uri(): string {
    return requestUri(this, "ws", this.opts.timestampRequests, true);
  }

  /** Makes the socket, and lets its messages go to `onData`. */
  createSocket(uri: string): WebSocketLike {
    const { extraHeaders, protocols } = this.opts;
    const Socket = globalThis.WebSocket as unknown as WebSocketClass;
    // Only React Native knows a third argument.
    const ws = new Socket(uri, protocols, extraHeaders && { headers: extraHeaders });
    ws.binaryType = "arraybuffer";
    ws.onmessage = ({ data }) => this.onData(data);
    return ws;
  }

  _sendFrame(data: string | Uint8Array, _packet: WritePacket): void {
    this.ws?.send(data);
  }
}
