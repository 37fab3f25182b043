import type { EnginePacket, EnginePacketType } from "@plugboard/protocol";
import type { HeaderFields } from "../http-port.js";
import type { PreparedFrame } from "./websocket-frame.js";

/** How one message is to be sent. */
export interface SendOptions {
  /** Whether HTTP compression may be applied to it. Default: true. */
  compress?: boolean;
  /** The WebSocket frame of this very message, built once for many receivers. */
  prepared?: PreparedFrame;
  /** The same, as the third-party adapters build it: header and payload of an unmasked server frame (spec/server.md 1.9). */
  wsPreEncodedFrame?: readonly Uint8Array[];
}

/** Called once a message has been written, with the transport that carried it. */
export type SendCallback = (transport: Transport) => void;

/** A packet on its way out. */
export interface QueuedPacket {
  type: EnginePacketType;
  data?: string | Uint8Array;
  options: SendOptions;
  callback?: SendCallback;
}

/** How a transport is to be closed: `orderly` lets the peer know, `now` does not wait for anybody. */
export type CloseMode = "orderly" | "now";

/**
 * Carries the bytes of one session. Nobody subclasses it: a transport calls the {@link TransportEvents} port.
 */
export interface Transport {
  readonly name: "polling" | "websocket" | "webtransport";
  /** Nothing is on its way: what `volatile` looks at. */
  readonly writable: boolean;
  /** A batch handed over now leaves at once, or together with the one already waiting for the end of this turn. */
  readonly accepting: boolean;
  /** Bytes handed to the operating system's queue but not yet taken by it. */
  readonly bufferedAmount: number;
  /** `closing` while a close waits for the peer to fetch it. */
  readonly readyState: "open" | "closing" | "closed";
  /** Version of the Engine.IO protocol. */
  readonly protocol: number;
  /** Id of the session it carries; none while it is being tried, and once the session has left it. */
  readonly sid: string | undefined;
  /** Whether nobody listens to it any more: its session has moved on, or is over. */
  readonly discarded: boolean;
  /** Whether bytes travel as bytes; else as base64, as in every payload of polling. */
  readonly supportsBinary: boolean;
  /** Polling: the request that waits for an answer. */
  readonly req?: unknown;
  /** Polling: the request whose body is being read. */
  readonly dataReq?: unknown;
  /** WebSocket: the object of the library underneath, such as that of `ws`. Sending through it is no packet of ours. */
  readonly socket?: unknown;
  events: TransportEvents;
  send(batch: readonly QueuedPacket[], onWritten?: () => void): void;
  /** Stops reading from the peer until `resume`. What has been read already may still be reported. */
  pause(): void;
  resume(): void;
  /** Ends in `events.onClose()`, unless the transport is closed already. */
  close(mode: CloseMode): void;
}

/** What a transport tells its session. */
export interface TransportEvents {
  /** Id of the session, when it is one that listens. */
  readonly id?: string;
  onPacket(packet: EnginePacket): void;
  /** The transport can take a batch. */
  onReady(): void;
  /** The transport is broken. */
  onError(message: string, description?: unknown): void;
  /** The peer has closed, or a requested close is complete. */
  onClose(): void;
  /** An HTTP answer is about to be sent; listeners may add header fields. */
  onHeaders(headers: HeaderFields, request: unknown): void;
}

/** What a transport reports to once its session has moved to another one. */
export const DEAF_EVENTS: TransportEvents = {
  onPacket() {},
  onReady() {},
  onError() {},
  onClose() {},
  onHeaders() {},
};
