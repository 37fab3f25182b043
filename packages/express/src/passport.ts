import type { IncomingMessage } from "node:http";
import type { Socket } from "@plugboard/server";
import { expressError } from "./express-error.js";

/** What is used of `passport`. */
export interface PassportLike {
  // oxlint-disable-next-line typescript/no-explicit-any
  deserializeUser(...args: any[]): any;
}

interface PassportRequest extends IncomingMessage {
  readonly _passport?: { readonly instance?: PassportLike };
  readonly session?: { readonly passport?: { readonly user?: unknown } } | null;
  user?: unknown;
}

/**
 * Looks up the user of a socket again, as passport does with each request, and puts it on `socket.request.user`.
 *
 * @returns the user; undefined when nobody is logged in any more
 * @throws ExpressError with code `SIO_EXPRESS_NO_PASSPORT`
 */
export async function refreshUser(socket: Socket, given: PassportLike | undefined): Promise<unknown> {
  const request = socket.request as PassportRequest;
  const passport = given ?? request._passport?.instance;
  if (passport === undefined) {
    throw expressError("SIO_EXPRESS_NO_PASSPORT", "refreshUser needs passport: socketio(app, { passport })");
  }
  const { session } = socket as { session?: { id?: string; data: object; reload(): Promise<object> } };
  const data = session?.id === undefined ? (session?.data ?? request.session ?? {}) : await session.reload();
  const { user: serialized } = (data as { passport?: { user?: unknown } }).passport ?? {};
  const found = serialized === undefined ? undefined : await deserialized(passport, serialized, request);
  // Passport says false or null where there is none any more.
  const user = found || undefined;
  request.user = user;
  return user;
}

function deserialized(passport: PassportLike, serialized: unknown, request: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    passport.deserializeUser(serialized, request, (error: unknown, user: unknown) => {
      if (error) reject(error as Error);
      else resolve(user);
    });
  });
}
