import {
  credentials,
  type Credentials,
  type CredentialsHandle,
  type CredentialsOptions,
  type TokenCarrier,
} from "@plugboard/auth";
import type { Server } from "@plugboard/server";
import { demand, isOptions } from "./express-error.js";

/** Options of {@link jwtAuth}: those of `credentials` of `@plugboard/auth`, and these. */
export interface JwtAuthOptions<C extends Credentials> extends Omit<CredentialsOptions<C>, "token"> {
  /** Finds the token. Default: `auth.token`, the header `Authorization: Bearer ...`, the cookie that `cookie` names. */
  getToken?: (carrier: TokenCarrier) => string | undefined;
  /** Whether clients that can are asked for a new token before theirs expires. Default: true. */
  refresh?: boolean;
}

/** What `io.use` installs instead of running it for each socket. */
export class JwtAuth<C extends Credentials = Credentials> {
  readonly #options: JwtAuthOptions<C>;
  #handle: CredentialsHandle<C> | undefined = undefined;

  constructor(options: JwtAuthOptions<C>) {
    demand(
      isOptions(options) && typeof options.verify === "function",
      "jwtAuth needs verify, which makes credentials of a token: jwtAuth({ verify: async (token) => ({ user }) })",
    );
    const { getToken } = options;
    demand(getToken === undefined || typeof getToken === "function", "the option getToken has to be a function");
    this.#options = options;
  }

  /** Where credentials are; undefined until `io.use` has installed this. */
  get handle(): CredentialsHandle<C> | undefined {
    return this.#handle;
  }

  /** @throws Error when the server has credentials already */
  install(io: Server): void {
    const { getToken, refresh = true, ...rest } = this.#options;
    this.#handle = credentials(io, {
      ...rest,
      ...(getToken !== undefined && { token: getToken }),
      ...(!refresh && { renewBeforeMs: 0 }),
    });
  }
}

/**
 * Lets clients in by tokens, in all namespaces, recovered sockets included: `io.use(jwtAuth({ verify }))`. Their sockets end
 * with their tokens, unless those are renewed in time.
 *
 * @throws ExpressError with code `SIO_EXPRESS_INVALID_OPTION` without `verify`
 */
export function jwtAuth<C extends Credentials>(options: JwtAuthOptions<C>): JwtAuth<C> {
  return new JwtAuth(options);
}
