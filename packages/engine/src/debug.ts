/* The one place that knows the `debug` package. */
import createLogger from "debug";

/**
 * Writes a line to stderr while the namespace is switched on by the environment, as in `DEBUG=engine:*,socket.io:*`
 * (spec/server.md 3.1). What is put in place of `%s`, `%o` and the like is formatted only then.
 */
export type Debug = (format: string, ...values: unknown[]) => void;

/**
 * Makes the logger of a namespace: once a module, and called where connections come, change and go. Never per packet,
 * since even a logger that is switched off costs a call.
 */
export function createDebug(namespace: string): Debug {
  const log = createLogger(namespace);
  return (format, ...values) => {
    if (log.enabled) log(format, ...values.map(printable));
  };
}

/** Text of a client must not look like another line, nor command a terminal. */
function printable(value: unknown): unknown {
  if (typeof value !== "string" && !(value instanceof Error)) return value;
  return String(value).replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
