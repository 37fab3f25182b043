/** Why a transport broke; the `description` of the session's `close` event (spec/server.md 1.12). */
export class TransportError extends Error {
  readonly type = "TransportError" as const;
  readonly description: unknown;

  constructor(message: string, description?: unknown) {
    super(message);
    this.description = description;
  }
}
