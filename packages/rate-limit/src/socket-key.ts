import type { AnySocket } from "./any-socket.js";

/** Whom the actions of a socket count for. */
export type SocketKey = "socket" | "user" | "address" | ((socket: AnySocket) => string | number);

/** What `@plugboard/auth` puts on a socket, and what programs do. */
interface OfUser {
  readonly credentials?: { readonly user?: unknown };
  readonly data?: { readonly user?: { readonly id?: unknown } | null } | null;
}

/** The name under which a limiter counts for a socket. */
export function keyOfSocket(by: SocketKey, socket: AnySocket): string {
  if (typeof by === "function") return String(by(socket));
  if (by === "socket") return `socket:${socket.id}`;
  const { credentials, data } = socket as OfUser;
  const user = by === "user" ? (credentials?.user ?? data?.user?.id) : undefined;
  return user === undefined || user === null ? addressKey(socket.conn.remoteAddress) : `user:${String(user)}`;
}

/** The name under which a limiter counts for an address; a socket file has none, so its peers count as one. */
export function addressKey(address: string | undefined): string {
  return `address:${address ?? ""}`;
}
