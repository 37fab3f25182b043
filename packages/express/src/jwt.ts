import { credentials, type Credentials, type CredentialsOptions, type TokenCarrier } from "@plugboard/auth";
import type { Server } from "@plugboard/server";
import { demand, isOptions } from "./express-error.js";
import { userRoom } from "./user-room.js";

/** Options of {@link jwtAuth}: those of `credentials` of `@plugboard/auth`, and these. */
export interface JwtAuthOptions<C extends Credentials> extends Omit<CredentialsOptions<C>, "token"> {
  /** Finds the token. Default: `auth.token`, the header `Authorization: Bearer ...`, the cookie that `cookie` names. */
  getToken?: (carrier: TokenCarrier) => string | undefined;
  /** Whether clients that can are asked for a new token before theirs expires. Default: true. */
  refresh?: boolean;
}

/** What `io.use` installs instead of running it for each socket. */
export interface JwtAuth {
  /**
   * What `io.use` calls.
   *
   * @throws Error when the server has credentials already
   */
  install(io: Server): void;
}

/**
 * Lets clients in by tokens, in all namespaces, recovered sockets included: `io.use(jwtAuth({ verify }))`. Their sockets end
 * with their tokens, unless those are renewed in time.
 *
 * @throws ExpressError with code `SIO_EXPRESS_INVALID_OPTION` without `verify`
 */
export function jwtAuth<C extends Credentials>(given: JwtAuthOptions<C>): JwtAuth {
  demand(
    isOptions(given) && typeof given.verify === "function",
    "jwtAuth needs verify, which makes credentials of a token: jwtAuth({ verify: async (token) => ({ user }) })",
  );
  const { getToken, refresh = true, ...options } = given;
  demand(getToken === undefined || typeof getToken === "function", "the option getToken has to be a function");
  return {
    install(io) {
      credentials(io, {
        ...options,
        ...(getToken !== undefined && { token: getToken }),
        ...(!refresh && { renewBeforeMs: 0 }),
      });
      io.useAlways((socket, next) => {
        if (socket.credentials !== undefined) void socket.join(userRoom(socket.credentials.user));
        next();
      });
    },
  };
}
