/** What one client may do; SECURITY.md says what happens beyond. */
export interface Limits {
  readonly maxEventsPerSecond: number;
  readonly maxNamespacesPerClient: number;
  readonly maxPendingConnects: number;
  readonly maxDynamicNamespaces: number;
}

const DEFAULT_LIMITS: Limits = {
  maxEventsPerSecond: 10_000,
  maxNamespacesPerClient: 500,
  maxPendingConnects: 100,
  maxDynamicNamespaces: 10_000,
};

/** Chars of a namespace that a client asks for and that does not exist yet: its name is kept for as long as it lives. */
export const MAX_NAMESPACE_NAME_LENGTH = 1024;

/** Over how many seconds events are counted: a client that comes back with much to say is no flood. */
export const EVENT_WINDOW_SECONDS = 5;

/** A limit that a client has crossed. `code` tells which; the message is what the client reads. */
export class LimitError extends Error {
  readonly code: string;
  /** Reaches the client with a refused CONNECT. */
  readonly data: { readonly code: string };

  constructor(code: string, message: string) {
    super(message);
    this.name = "LimitError";
    this.code = code;
    this.data = { code };
  }
}

export function tooManyNamespaces(): LimitError {
  return new LimitError("SIO_TOO_MANY_NAMESPACES", "Too many namespaces");
}

export function tooManyEvents(): LimitError {
  return new LimitError("SIO_TOO_MANY_EVENTS", "too many events");
}

/** The given limits, with the defaults for those that are not. */
export function resolveLimits(given: { readonly [Name in keyof Limits]?: number | undefined }): Limits {
  return {
    maxEventsPerSecond: given.maxEventsPerSecond ?? DEFAULT_LIMITS.maxEventsPerSecond,
    maxNamespacesPerClient: given.maxNamespacesPerClient ?? DEFAULT_LIMITS.maxNamespacesPerClient,
    maxPendingConnects: given.maxPendingConnects ?? DEFAULT_LIMITS.maxPendingConnects,
    maxDynamicNamespaces: given.maxDynamicNamespaces ?? DEFAULT_LIMITS.maxDynamicNamespaces,
  };
}
