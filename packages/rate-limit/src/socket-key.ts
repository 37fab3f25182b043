import type { AnySocket } from "./any-socket.js";

/** Whom the actions of a socket count for. */
export type SocketKey = "socket" | "user" | "address" | ((socket: AnySocket) => string | number);

/** What `@plugboard/auth` puts on a socket, and what programs do. */
interface OfUser {
  readonly credentials?: { readonly user?: unknown };
  readonly data?: { readonly user?: { readonly id?: unknown } | null } | null;
}

/**
 * The name under which a limiter counts for a socket.
 *
 * @param address - of the client, where that is known better than by the connection, such as behind a proxy
 */
export function keyOfSocket(by: SocketKey, socket: AnySocket, address?: string): string {
  if (typeof by === "function") return String(by(socket));
  if (by === "socket") return `socket:${socket.id}`;
  const { credentials, data } = socket as OfUser;
  const user = by === "user" ? (credentials?.user ?? data?.user?.id) : undefined;
  return user === undefined || user === null
    ? addressKey(address ?? socket.conn.remoteAddress)
    : `user:${String(user)}`;
}

/**
 * The name under which a limiter counts for an address; a socket file has none, so its peers count as one. One customer
 * owns at least the last 64 bits of an IPv6 address, so these do not count (RFC 6177).
 */
export function addressKey(address = ""): string {
  if (!address.includes(":")) return `address:${address}`;
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(address) ?? [];
  return `address:${mapped ?? `${network(address)}::/64`}`;
}

/** The first four groups of an IPv6 address. */
function network(address: string): string {
  const [head = [], tail = []] = address.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return [...head, ...zeros, ...tail].slice(0, 4).join(":");
}
