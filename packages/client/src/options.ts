import type { EngineOptions } from "./engine/engine-options.js";

/** Options of a manager (spec/client.md 3.1). All may be left out, see `Partial` wherever they are taken. */
export interface ManagerOptions extends Partial<EngineOptions> {
  /** Whether `io()` makes a manager of its own instead of sharing one. Default: false. */
  forceNew: boolean;
  /** Whether `io()` may share the manager of an earlier call. Default: true. */
  multiplex: boolean;
  /** Path of the server. Default: `/socket.io`. */
  path: string;
  /** Whether a lost connection is opened again. Default: true. */
  reconnection: boolean;
  /** Attempts in a row until `reconnect_failed`. Default: Infinity, which 0 means too. */
  reconnectionAttempts: number;
  /** Milliseconds before the first attempt; doubled for each further one. Default: 1000, which 0 means too. */
  reconnectionDelay: number;
  /** Milliseconds between attempts at most. Default: 5000, which 0 means too. */
  reconnectionDelayMax: number;
  /**
   * How far the delay may be from what it should be, so that clients do not come back all at once: 0.5 is from half of it
   * to one and a half. From 0 to 1; anything else counts as 0. Default: 0.5.
   */
  randomizationFactor: number;
  /** Milliseconds that connecting may take; 0 fails at once. `manager.timeout(false)` waits for ever. Default: 20000. */
  timeout: number;
  /** Whether managers open, and sockets connect, by themselves. Default: true. */
  autoConnect: boolean;
  /** `{ Encoder, Decoder }` for other packets than those of Socket.IO; the server needs the same. Default: ours. */
  parser: any;
}

/** Options of one socket, whoever its manager is (spec/client.md 4). */
export interface SocketOptions {
  /**
   * Sent to the server each time the socket connects, to be read there as `socket.handshake.auth`. A function is asked
   * anew for each connection and answers by callback or, if async, by what it resolves to. One that throws or rejects ends
   * in `connect_error`. Default: nothing.
   */
  auth?: { [key: string]: any } | ((cb: (data: object) => void) => void) | (() => Promise<object>);
  /**
   * How often an event is sent again when no acknowledgement came in time; then it is given up. With it events go one
   * after the other, each waiting for the acknowledgement of the one before: `ackTimeout` should be set. Default: 0, sent once.
   */
  retries?: number;
  /** Milliseconds that acknowledgements may take, where `timeout()` says nothing else. Default: no limit. */
  ackTimeout?: number;
}
