import type { Transport } from "../transports/transport.js";

interface Cookie {
  readonly value: string;
  /** In milliseconds since 1970; NaN for a date that is none. */
  readonly expires: number;
}

/** As many as browsers keep of one site; the oldest goes first. */
const MAX_COOKIES = 180;

/**
 * The cookies of one engine (spec/client.md 2.11). Which of them a path or a domain may see is not looked at: there is one
 * server and one path. Of `Expires` and `Max-Age` the later in the text counts, and what cannot be read has expired.
 */
export class NodeCookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes the values of `set-cookie` headers. */
  store(setCookie: readonly string[]): void {
    for (const line of setCookie) {
      const [pair = "", ...attributes] = line.split(";");
      const [name, value] = splitPair(pair);
      if (value === undefined || name === "") continue;
      this.#cookies.set(name, { value: value.replace(/^"(.*)"$/, "$1"), expires: expiryOf(attributes) });
      const [oldest] = this.#cookies.keys();
      if (this.#cookies.size > MAX_COOKIES) this.#cookies.delete(oldest as string);
    }
  }

  /** The value of the `cookie` header, or undefined when there is nothing to send. */
  header(): string | undefined {
    const now = Date.now();
    const pairs: string[] = [];
    for (const [name, { value, expires }] of this.#cookies) {
      if (expires > now) pairs.push(`${name}=${value}`);
      else this.#cookies.delete(name);
    }
    return pairs.length > 0 ? pairs.join("; ") : undefined;
  }
}

const jars = new WeakMap<object, NodeCookieJar>();

/** The jar that the transports of one engine share; undefined unless cookies are to be kept. */
export function jarOf({ socket, opts }: Transport): NodeCookieJar | undefined {
  if (!socket || !opts.withCredentials) return undefined;
  const jar = jars.get(socket) ?? new NodeCookieJar();
  jars.set(socket, jar);
  return jar;
}

/** Around the first `=`; without one there is no value. */
function splitPair(text: string): [name: string, value: string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text.trim(), undefined] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function expiryOf(attributes: readonly string[]): number {
  let expires = Infinity;
  for (const attribute of attributes) {
    const [name, value = ""] = splitPair(attribute);
    if (/^expires$/i.test(name)) expires = Date.parse(value);
    else if (/^max-age$/i.test(name)) expires = Date.now() + parseInt(value, 10) * 1000;
  }
  return expires;
}

/** Copies headers and adds what a jar holds to the `cookie` among them, however that is written. */
export function withCookies(
  headers: Readonly<Record<string, string | readonly string[]>>,
  cookies: string | undefined,
): Record<string, string | readonly string[]> {
  const merged: Record<string, string | readonly string[]> = {};
  let all: readonly string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() === "cookie") all = all.concat(value);
    else merged[name] = value;
  }
  if (cookies !== undefined) all = all.concat(cookies);
  if (all.length > 0) merged["cookie"] = all.join("; ");
  return merged;
}
