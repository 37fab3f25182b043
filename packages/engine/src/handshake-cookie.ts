/* The one place that knows the `cookie` package. */
import { serialize, type SerializeOptions } from "cookie";

/** `Set-Cookie` attributes of the handshake cookie. Defaults: `path: "/"`, `httpOnly: true`, `sameSite: "lax"`. */
export interface CookieOptions extends Omit<SerializeOptions, "path"> {
  /** Default: "io". */
  name?: string;
  /** `false` leaves the attribute out. */
  path?: string | false;
}

/** The `Set-Cookie` line of a handshake (spec/server.md 1.16). */
export function handshakeCookie(sid: string, options: CookieOptions): string {
  const { name = "io", path, maxAge, ...rest } = options;
  const attributes: SerializeOptions = { ...rest };
  if (path !== false && path !== undefined) attributes.path = path;
  if (maxAge !== undefined) attributes.maxAge = Math.floor(maxAge);
  return serialize(name, sid, attributes);
}
