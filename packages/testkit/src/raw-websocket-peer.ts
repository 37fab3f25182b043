import { WebSocket, type ClientOptions } from "ws";
import { Inbox } from "./inbox.js";

/** A WebSocket client that knows nothing of Engine.IO: frames in, frames out. */
export class RawWebSocketPeer {
  readonly socket: WebSocket;
  /** Frames received: strings, or bytes. */
  readonly frames: Inbox<string | Uint8Array> = new Inbox();
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #opened: Promise<void>;

  /** @param url - `ws:` or `http:` URL with the query */
  constructor(url: string, options?: ClientOptions) {
    this.socket = new WebSocket(url.replace(/^http/, "ws"), options);
    this.#opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve).once("error", reject);
    });
    this.#opened.catch(() => {});
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.on("error", () => {});
    this.socket.on("message", (data, isBinary) => {
      this.frames.push(isBinary ? new Uint8Array(data as Buffer) : String(data));
    });
  }

  /** Rejects when the server refuses the upgrade. */
  opened(): Promise<void> {
    return this.#opened;
  }

  send(frame: string | Uint8Array): void {
    this.socket.send(frame);
  }

  next(): Promise<string | Uint8Array> {
    return this.frames.next();
  }

  close(): void {
    this.socket.close();
  }
}
