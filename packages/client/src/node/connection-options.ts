import type { TransportOptions } from "../transports/transport.js";

/** Options that are for Node's own connections. */
const CONNECTION_OPTIONS = [
  "agent",
  "pfx",
  "key",
  "passphrase",
  "cert",
  "ca",
  "ciphers",
  "rejectUnauthorized",
  "localAddress",
  "family",
  "checkServerIdentity",
];

/** Those options that were given, of the connection and of the names said besides. */
export function connectionOptions(options: TransportOptions, ...more: string[]): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const name of [...CONNECTION_OPTIONS, ...more]) {
    const value = (options as Record<string, unknown>)[name];
    if (Object.hasOwn(options, name) && value !== undefined) given[name] = value;
  }
  return given;
}
