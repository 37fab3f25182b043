/** Why a transport failed (spec/client.md 2.8). `name` stays `Error`: programs print it. */
export interface TransportError extends Error {
  readonly type: "TransportError";
  /** An HTTP status, an event or an error, whatever the transport learned. */
  readonly description: unknown;
  /** The request or the event it happened to. */
  readonly context: unknown;
}

/** Makes one. */
export function transportError(message: string, description?: unknown, context?: unknown): TransportError {
  return Object.assign(new Error(message), { type: "TransportError" as const, description, context });
}
