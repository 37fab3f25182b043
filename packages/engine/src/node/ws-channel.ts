/*
 * The one place that knows `ws`. It does the hard half of RFC 6455 (parsing, masking, fragments, UTF-8, limits); the
 * frames we send are built by ourselves and written to the socket of the upgrade, which is ours.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer, type RawData } from "ws";
import type { EngineOptions } from "../options.js";
import { CLOSE_GRACE_MS, type WebSocketChannel, type WebSocketChannelEvents } from "../transports/websocket-channel.js";

/** Turns an upgrade request into a channel. */
export interface WebSocketAcceptor {
  /** The server object of the library. */
  readonly engine: object;
  accept(req: IncomingMessage, socket: Duplex, head: Buffer, onChannel: (channel: WebSocketChannel) => void): void;
  /** Cuts, after a moment, the peers that have yet to answer a close frame: `ws` would give them half a minute. */
  close(): void;
}

/** What a `wsEngine` has to offer (spec/server.md 1.9). */
interface WebSocketEngineInstance {
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, done: (websocket: WebSocketLike) => void): void;
  close(): void;
  on?(event: "headers", listener: (lines: string[], req: IncomingMessage) => void): unknown;
}

interface WebSocketLike {
  on(event: "message", listener: (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  send(data: string | Uint8Array, onSent?: (error?: Error) => void): void;
  close(): void;
  pause?(): void;
  resume?(): void;
  terminate?(): void;
  readonly readyState?: number;
}

const SILENT_EVENTS: WebSocketChannelEvents = { onMessage() {}, onClose() {}, onError() {}, onControl() {} };

/**
 * A socket of `ws` that knows its channel, so that one listener serves all sockets, and says when a close frame is about
 * to leave, whichever side asked for it: `ws` answers one through `close` too.
 */
class ChannelWebSocket extends WebSocket {
  channel: WsChannel | undefined;

  override close(code?: number, data?: string | Buffer): void {
    this.channel?.events.onControl();
    super.close(code, data);
    this.channel?.onClosing();
  }
}

function eventsOf(websocket: WebSocket): WebSocketChannelEvents {
  return (websocket as ChannelWebSocket).channel?.events ?? SILENT_EVENTS;
}

function onError(this: WebSocket, error: Error): void {
  eventsOf(this).onError(error);
}

function onClose(this: WebSocket): void {
  (this as ChannelWebSocket).channel?.onClosed();
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  eventsOf(this).onMessage(isBinary ? (data as Buffer) : (data as Buffer).toString());
}

/** Beyond so many waiting bytes pings go without an answer, which RFC 6455 5.5.3 allows: else pings alone could fill memory. */
const PONG_BACKLOG_BYTES = 1024 * 1024;

function onPing(this: WebSocket, data: Buffer): void {
  eventsOf(this).onControl();
  if (this.readyState === WebSocket.OPEN && this.bufferedAmount < PONG_BACKLOG_BYTES) this.pong(data);
}

/** A channel of our own `ws`: whole frames may be written beside it as long as no compression was negotiated. */
class WsChannel implements WebSocketChannel {
  events: WebSocketChannelEvents = SILENT_EVENTS;
  readonly takesFrames: boolean;
  readonly #websocket: ChannelWebSocket;
  readonly #socket: Duplex;
  readonly #closing: Set<WebSocket>;
  /** Whether a call of `close` is ours. */
  #isAsking = false;
  #isOver = false;

  /** @param closing - where it stays while the peer has half a minute to answer our close frame */
  constructor(websocket: ChannelWebSocket, socket: Duplex, closing: Set<WebSocket>) {
    this.#websocket = websocket;
    this.#socket = socket;
    this.#closing = closing;
    this.takesFrames = websocket.extensions === "";
    websocket.channel = this;
    // The error listener first: an error before anybody listens would be an uncaught one (CVE-2022-21676).
    websocket.on("error", onError).on("close", onClose).on("message", onMessage).on("ping", onPing);
  }

  get bufferedAmount(): number {
    return this.#websocket.bufferedAmount;
  }

  get socket(): WebSocket {
    return this.#websocket;
  }

  send(data: string | Uint8Array, onSent?: (error?: Error | null) => void): void {
    this.#websocket.send(data, onSent);
  }

  writeFrames(chunks: ReadonlyArray<string | Uint8Array>, onSent: (error?: Error | null) => void): boolean {
    if (!this.takesFrames) throw notForFrames();
    const socket = this.#socket;
    if (this.#websocket.readyState !== WebSocket.OPEN) return false;
    if (chunks.length === 1) {
      writeChunk(socket, chunks[0] as string | Uint8Array);
    } else {
      socket.cork();
      for (const chunk of chunks) writeChunk(socket, chunk);
      socket.uncork();
    }
    // Mostly the system has taken the bytes by now, and a callback would cost a tick for nothing.
    if (socket.writableLength === 0 && !socket.errored) return true;
    socket.write("", onSent);
    return false;
  }

  pause(): void {
    this.#websocket.pause();
  }

  resume(): void {
    this.#websocket.resume();
  }

  close(graceMs?: number): void {
    this.#isAsking = true;
    this.#websocket.close();
    this.#isAsking = false;
    if (graceMs !== undefined) this.#cutAfter(graceMs);
  }

  onClosing(): void {
    if (this.#websocket.readyState !== WebSocket.CLOSING) return;
    this.#closing.add(this.#websocket);
    if (this.#isAsking) return;
    // `ws` itself closes: it answers a close frame of the peer, which may keep the connection for as long as it likes, or
    // breaks off for a violation. A violation is told as an error when this call returns, and has to come first.
    process.nextTick(() => this.#end());
    this.#cutAfter(CLOSE_GRACE_MS);
  }

  onClosed(): void {
    this.#closing.delete(this.#websocket);
    this.#end();
  }

  #cutAfter(graceMs: number): void {
    this.#closing.delete(this.#websocket);
    terminateAfter(this.#websocket, graceMs);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.events.onClose();
  }
}

/** Cuts a connection whose peer has not closed it in time. The connection keeps the loop alive as long as it is there. */
function terminateAfter(websocket: WebSocketLike, graceMs: number): void {
  if (websocket.readyState === WebSocket.CLOSED) return;
  const timer = setTimeout(() => websocket.terminate?.(), graceMs).unref();
  websocket.on("close", () => clearTimeout(timer));
}

function writeChunk(socket: Duplex, chunk: string | Uint8Array): void {
  if (typeof chunk === "string") socket.write(chunk, "latin1");
  else socket.write(chunk);
}

function notForFrames(): Error {
  return new Error("this WebSocket takes messages, not frames");
}

/** A channel of an engine that the user has chosen: everything goes through its own `send`. */
class ForeignChannel implements WebSocketChannel {
  events: WebSocketChannelEvents = SILENT_EVENTS;
  readonly takesFrames = false;
  readonly #websocket: WebSocketLike;

  constructor(websocket: WebSocketLike) {
    this.#websocket = websocket;
    websocket.on("error", (error) => this.events.onError(error));
    websocket.on("close", () => this.events.onClose());
    websocket.on("message", (data, isBinary) => {
      this.events.onMessage(isBinary ? (data as Buffer) : String(data));
    });
  }

  get socket(): WebSocketLike {
    return this.#websocket;
  }

  get bufferedAmount(): number {
    return (this.#websocket as Partial<{ bufferedAmount: number }>).bufferedAmount ?? 0;
  }

  send(data: string | Uint8Array, onSent?: (error?: Error | null) => void): void {
    this.#websocket.send(data, onSent);
  }

  writeFrames(): never {
    throw notForFrames();
  }

  pause(): void {
    this.#websocket.pause?.();
  }

  resume(): void {
    this.#websocket.resume?.();
  }

  close(graceMs?: number): void {
    this.#websocket.close();
    if (graceMs !== undefined) terminateAfter(this.#websocket, graceMs);
  }
}

/**
 * @param onHeaders - may add lines to the 101 answer
 */
export function createWebSocketAcceptor(
  options: Pick<EngineOptions, "maxHttpBufferSize" | "perMessageDeflate" | "wsEngine">,
  onHeaders: (lines: string[], req: IncomingMessage) => void,
): WebSocketAcceptor {
  const { wsEngine } = options;
  const common = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: options.perMessageDeflate ?? false,
    maxPayload: options.maxHttpBufferSize,
  };
  const engine = (
    wsEngine === undefined
      ? new WebSocketServer({
          ...common,
          maxPayload: common.maxPayload!,
          WebSocket: ChannelWebSocket,
          autoPong: false,
        })
      : new wsEngine(common)
  ) as WebSocketEngineInstance;
  engine.on?.("headers", onHeaders);
  const closing = new Set<WebSocket>();
  return {
    engine,
    accept(req, socket, head, onChannel) {
      engine.handleUpgrade(req, socket, head, (websocket) => {
        const channel =
          websocket instanceof ChannelWebSocket
            ? new WsChannel(websocket, socket, closing)
            : new ForeignChannel(websocket);
        onChannel(channel);
      });
    },
    close: () => {
      engine.close();
      for (const websocket of closing) terminateAfter(websocket, CLOSE_GRACE_MS);
    },
  };
}
