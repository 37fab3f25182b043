/** Why an Engine.IO request was refused: the public `Server.errors` (spec/server.md 1.4). */
export const EngineErrorCode = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
} as const;

/** Why an Engine.IO request was refused. */
export type EngineErrorCode = (typeof EngineErrorCode)[keyof typeof EngineErrorCode];

/** What the client is told, by code: the public `Server.errorMessages`. */
export const ENGINE_ERROR_MESSAGES = {
  0: "Transport unknown",
  1: "Session ID unknown",
  2: "Bad handshake method",
  3: "Bad request",
  4: "Forbidden",
  5: "Unsupported protocol version",
} as const;

/** What the client is told when its request is refused. */
export type EngineErrorMessage = (typeof ENGINE_ERROR_MESSAGES)[EngineErrorCode];
