/** What is likely to be a mistake of the program, though nothing fails in it. */
export type ExpressWarningCode =
  | "SIO_EXPRESS_BODY_READ"
  | "SIO_EXPRESS_CORS"
  | "SIO_EXPRESS_CORS_TWICE"
  | "SIO_EXPRESS_GATE_PENDING"
  | "SIO_EXPRESS_NOT_ATTACHED"
  | "SIO_EXPRESS_NO_MIDDLEWARE"
  | "SIO_EXPRESS_PATH"
  | "SIO_EXPRESS_SESSION_BEHIND";

export type Warn = (code: ExpressWarningCode, message: string) => void;

/** Warnings of a server: each is given once, for requests of strangers are what brings them about. */
export function warnOnce(): Warn {
  const given = new Set<ExpressWarningCode>();
  return (code, message) => {
    if (given.has(code)) return;
    given.add(code);
    process.emitWarning(message, { code });
  };
}
