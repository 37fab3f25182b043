import { credentials, type Credentials, type CredentialsHandle, type CredentialsOptions } from "@plugboard/auth";
import type { Server } from "@plugboard/server";
import type { FastifyInstance } from "fastify";
import { checkNames } from "./check-options.js";
import { pluginError } from "./plugin-error.js";

/** What a token of `@fastify/jwt` says. */
export interface JwtClaims {
  readonly sub?: string;
  readonly jti?: string;
  readonly sid?: string;
  /** Seconds since 1970. */
  readonly iat?: number;
  readonly exp?: number;
  readonly [name: string]: unknown;
}

/** Who a client is by its token. */
export interface JwtCredentials extends Credentials {
  readonly claims: JwtClaims;
}

/** Options of `fastify.ioJwt`: those of `credentials` of `@plugboard/auth`, save for `verify`. */
export interface JwtOptions extends Omit<CredentialsOptions<JwtCredentials>, "verify"> {
  /** Whether clients that can are asked for a new token before theirs expires. Default: true. */
  refresh?: boolean;
  /** Name of the decorator of the server. Default: "io". */
  io?: string;
  /** Who the claims are about. Default: `sub`, or `id` as text. */
  userOf?: (claims: JwtClaims) => string | undefined;
}

const JWT_OPTIONS: readonly string[] = Object.keys({
  refresh: true,
  io: true,
  userOf: true,
  token: true,
  cookie: true,
  required: true,
  renewBeforeMs: true,
  onExpiry: true,
  maxTokenLength: true,
  verifyTimeoutMs: true,
  rememberRevokedMs: true,
  revocations: true,
  onRefused: true,
} satisfies Record<keyof JwtOptions, true>);

type Verify = (token: string, done: (error: Error | null, claims?: JwtClaims) => void) => void;

/**
 * Lets clients in by tokens that `fastify.jwt.verify` accepts.
 *
 * @throws PluginError with code `SIO_FASTIFY_NO_JWT`
 */
export function verifyJwt(app: FastifyInstance, io: Server, options: JwtOptions): CredentialsHandle<JwtCredentials> {
  checkNames("ioJwt", options, JWT_OPTIONS);
  const { refresh = true, io: _name, userOf = userOfClaims, ...rest } = options;
  const { jwt } = app as { jwt?: { verify: Verify } };
  if (jwt === undefined) {
    throw pluginError("SIO_FASTIFY_NO_JWT", "ioJwt needs @fastify/jwt: register it before calling ioJwt");
  }
  return credentials(io, {
    ...rest,
    ...(!refresh && { renewBeforeMs: 0 }),
    verify: async (token): Promise<JwtCredentials | undefined> => {
      const claims = await new Promise<JwtClaims>((resolve, reject) => {
        jwt.verify(token, (error, decoded) => (error ? reject(error) : resolve(decoded as JwtClaims)));
      });
      const user = userOf(claims);
      if (user === undefined) return undefined;
      const { jti, sid, iat, exp } = claims;
      return {
        user,
        claims,
        ...(jti !== undefined && { tokenId: jti }),
        ...(sid !== undefined && { session: sid }),
        ...(iat !== undefined && { issuedAt: iat * 1000 }),
        ...(exp !== undefined && { expiresAt: exp * 1000 }),
      };
    },
  });
}

function userOfClaims({ sub, id }: JwtClaims): string | undefined {
  return sub ?? (typeof id === "string" || typeof id === "number" ? String(id) : undefined);
}
