/** Why the plugin cannot do what it was asked for; the message says what to change. */
export type PluginErrorCode =
  | "SIO_FASTIFY_CORS_TWICE"
  | "SIO_FASTIFY_DECORATOR_TAKEN"
  | "SIO_FASTIFY_HTTP2"
  | "SIO_FASTIFY_INVALID_OPTION"
  | "SIO_FASTIFY_INVALID_SCHEMA"
  | "SIO_FASTIFY_NO_JWT"
  | "SIO_FASTIFY_NO_SESSION"
  | "SIO_FASTIFY_NO_SUCH_IO"
  | "SIO_FASTIFY_PATH_TAKEN"
  | "SIO_FASTIFY_TOO_LATE"
  | "SIO_FASTIFY_UNKNOWN_FASTIFY";

/** A mistake in how the plugin is used, found while the application starts. */
export interface PluginError extends Error {
  readonly code: PluginErrorCode;
}

export function pluginError(code: PluginErrorCode, message: string, cause?: unknown): PluginError {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: "PluginError", code });
}
