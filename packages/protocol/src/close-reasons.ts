/** Why an Engine.IO connection closed (spec/server.md 1.12). */
export const EngineCloseReason = {
  /** The peer, or the transport under it, ended the connection. */
  TRANSPORT_CLOSE: "transport close",
  /** The transport failed or was misused. */
  TRANSPORT_ERROR: "transport error",
  /** No pong came within `pingTimeout`. */
  PING_TIMEOUT: "ping timeout",
  /** What came was no packet. */
  PARSE_ERROR: "parse error",
  /** This side closed the connection. */
  FORCED_CLOSE: "forced close",
} as const;

/** Why an Engine.IO connection closed. */
export type EngineCloseReason = (typeof EngineCloseReason)[keyof typeof EngineCloseReason];

/** Why a server's socket left its namespace: the close of its connection, or one of four of its own (spec/server.md 3.6). */
export const DisconnectReason = {
  TRANSPORT_CLOSE: "transport close",
  TRANSPORT_ERROR: "transport error",
  PING_TIMEOUT: "ping timeout",
  PARSE_ERROR: "parse error",
  FORCED_CLOSE: "forced close",
  /** `io.close()`. */
  SERVER_SHUTTING_DOWN: "server shutting down",
  /** The server ended the connection after a protocol violation. */
  FORCED_SERVER_CLOSE: "forced server close",
  /** The client sent DISCONNECT. */
  CLIENT_NAMESPACE_DISCONNECT: "client namespace disconnect",
  /** `socket.disconnect()` on the server. */
  SERVER_NAMESPACE_DISCONNECT: "server namespace disconnect",
} as const;

/** Why a server's socket left its namespace. */
export type DisconnectReason = (typeof DisconnectReason)[keyof typeof DisconnectReason];
