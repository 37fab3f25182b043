import { credentials, type Credentials, type CredentialsOptions, type TokenCarrier } from "@plugboard/auth";
import type { Server } from "@plugboard/server";
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
 */
export function jwtAuth<C extends Credentials>({ getToken, refresh = true, ...options }: JwtAuthOptions<C>): JwtAuth {
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
