// Tokens that last a minute: clients are asked for new ones in time, and a logout ends all sockets of the session.
//
//   POST /login?user=ada        gives { token, session }
//   POST /refresh?session=...   gives { token } as long as the session lasts
//   POST /logout?session=...    ends it
//
// A client: `io({ auth: async () => ({ token: await refreshed() }) })`, where `refreshed` asks /refresh.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { credentials } from "@plugboard/auth";
import { Server } from "@plugboard/server";
import { jwtVerify, SignJWT } from "jose";
import { serve } from "./serve.js";

const secret = new TextEncoder().encode(process.env.JWT_SECRET ?? randomUUID());
const lifetimeMs = Number(process.env.TOKEN_LIFETIME_MS ?? 60_000);

/** Users by session. A program has them in a database. */
const sessions = new Map();

const sign = (session) =>
  new SignJWT({ sid: session, exp: (Date.now() + lifetimeMs) / 1000 })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sessions.get(session))
    .setIssuedAt()
    .setJti(randomUUID())
    .sign(secret);

const routes = {
  "POST /login": async ({ user }) => {
    const session = randomUUID();
    sessions.set(session, user || "somebody");
    return { token: await sign(session), session };
  },
  "POST /refresh": async ({ session }) => sessions.has(session) && { token: await sign(session) },
  "POST /logout": async ({ session }) => {
    if (!sessions.delete(session)) return undefined;
    await io.revoke({ session });
    return {};
  },
};

const httpServer = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const route = routes[`${request.method} ${pathname}`];
  const answer = await route?.(Object.fromEntries(searchParams));
  response.writeHead(answer ? 200 : route ? 401 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(answer || {}));
});

const io = new Server(httpServer);
const auth = credentials(io, {
  async verify(token) {
    const { payload } = await jwtVerify(token, secret, { algorithms: ["HS256"] });
    return {
      user: payload.sub,
      tokenId: payload.jti,
      session: payload.sid,
      issuedAt: payload.iat * 1000,
      expiresAt: payload.exp * 1000,
    };
  },
  rememberRevokedMs: lifetimeMs,
});

io.on("connection", (socket) => {
  socket.on("whoami", (answer) => answer(auth.of(socket)));
});

serve(httpServer, io);
