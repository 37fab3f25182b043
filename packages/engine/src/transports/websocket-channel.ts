/** How long a peer whose session is over may take to end the connection. */
export const CLOSE_GRACE_MS = 1000;

/** What a WebSocket reports. */
export interface WebSocketChannelEvents {
  onMessage(data: string | Uint8Array): void;
  /** The connection is over, or the peer has said that it is: nothing more will come. Reported once. */
  onClose(): void;
  onError(error: unknown): void;
  /** A ping or a close is about to be answered or sent: what is gathered must leave before it. */
  onControl(): void;
}

/**
 * One WebSocket connection, whoever speaks the protocol: `ws` on Node, the host itself on Bun and Deno.
 */
export interface WebSocketChannel {
  /** Bytes accepted but not yet taken by the operating system. */
  readonly bufferedAmount: number;
  /**
   * Whether whole frames may be written with `writeFrames`. It does not change in the life of a channel, so that one
   * connection never mixes both ways.
   */
  readonly takesFrames: boolean;
  /** The object of the library underneath. */
  readonly socket?: unknown;
  events: WebSocketChannelEvents;
  /** Sends one message as one frame. */
  send(data: string | Uint8Array, onSent?: (error?: Error | null) => void): void;
  /**
   * Writes complete frames: strings with one char per byte, and bytes. Nothing is written, and `onSent` is not called,
   * once the connection is no longer open.
   *
   * @returns true when the operating system has taken everything already: then `onSent` is not called
   */
  writeFrames(chunks: ReadonlyArray<string | Uint8Array>, onSent: (error?: Error | null) => void): boolean;
  /** Stops reading until `resume`, where the host can. */
  pause(): void;
  resume(): void;
  /** @param graceMs - after which the connection is cut, if the peer has not closed it by then. Default: 30 seconds */
  close(graceMs?: number): void;
}
