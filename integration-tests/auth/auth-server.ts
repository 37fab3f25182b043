import { createServer, type Server as HttpServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { credentials, type Credentials, type CredentialsOptions } from "@plugboard/auth";
import { Server, type ServerOptions } from "@plugboard/server";
import { jwtVerify, SignJWT } from "jose";
import { onTestFinished } from "vitest";

const SECRET = new TextEncoder().encode("a secret of thirty-two bytes or more");

export interface Claims {
  readonly user?: string;
  readonly tokenId?: string;
  readonly session?: string;
  /** Milliseconds until it expires. Default: an hour. */
  readonly lastsMs?: number;
}

let tokenCount = 0;

/** Signs a token, as the login of a program would. */
export function sign({ user = "ada", tokenId, session = "s1", lastsMs = 3_600_000 }: Claims = {}): Promise<string> {
  const now = Date.now();
  // Fractions of seconds, which the standard allows: so that tests need not wait for whole ones.
  return new SignJWT({ sid: session, iat: now / 1000, exp: (now + lastsMs) / 1000 })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setJti(tokenId ?? `t${++tokenCount}`)
    .sign(SECRET);
}

export async function verify(token: string): Promise<Credentials> {
  const { payload } = await jwtVerify(token, SECRET, { algorithms: ["HS256"] });
  const { sub = "", jti, sid, iat = 0, exp = 0 } = payload;
  return { user: sub, tokenId: jti, session: sid as string, issuedAt: iat * 1000, expiresAt: exp * 1000 };
}

export interface AuthServer {
  readonly io: Server;
  readonly url: string;
  readonly port: number;
}

/** Starts a server whose sockets need a token; it is closed when the running test finishes. */
export async function startAuthServer(
  options: Partial<CredentialsOptions<Credentials>> = {},
  serverOptions: Partial<ServerOptions> = {},
  port = 0,
): Promise<AuthServer> {
  const httpServer: HttpServer = createServer();
  // No heartbeat is missed when a test moves the clock on.
  const io = new Server(httpServer, { onListenerError() {}, pingInterval: 3_600_000, ...serverOptions });
  credentials(io, { verify, ...options });
  httpServer.listen(port, "127.0.0.1");
  await once(httpServer, "listening");
  onTestFinished(async () => {
    await io.close();
    httpServer.closeAllConnections();
  });
  const address = httpServer.address() as AddressInfo;
  return { io, url: `http://127.0.0.1:${address.port}`, port: address.port };
}
