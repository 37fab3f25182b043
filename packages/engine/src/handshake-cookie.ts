import { serialize, type SerializeOptions } from "cookie";
import type { CookieOptions } from "./options.js";

/** The `Set-Cookie` line of a handshake (spec/server.md 1.16). */
export function handshakeCookie(sid: string, options: CookieOptions): string {
  const { name = "io", path, maxAge, ...rest } = options;
  const attributes: SerializeOptions = { ...rest };
  if (path !== false && path !== undefined) attributes.path = path;
  if (maxAge !== undefined) attributes.maxAge = Math.floor(maxAge);
  return serialize(name, sid, attributes);
}
