import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server, type ServerOptions } from "@plugboard/server";
import {
  fromExpressStore,
  SocketSessions,
  type MiddlewareOptions,
  type SocketSessionsOptions,
} from "@plugboard/session";
import session from "express-session";
import { onTestFinished } from "vitest";

declare module "express-session" {
  interface SessionData {
    n: number;
    user: string;
    cart: string[];
  }
}

declare module "@plugboard/session" {
  interface SessionData {
    n?: number;
    user?: string;
    cart?: string[];
  }
}

export type AppRequest = IncomingMessage & {
  session: session.Session & Partial<session.SessionData>;
  sessionID: string;
};
export type Handler = (req: AppRequest, res: ServerResponse) => unknown;

/** Cookies are signed with it; the same in all processes. */
const secret = "a secret of tests";

/** The session middleware of the tests. */
export function expressSession(
  store: session.Store,
  options: Partial<session.SessionOptions> = {},
): (req: unknown, res: unknown, next: (error?: unknown) => void) => void {
  const middleware = session({ secret, resave: false, saveUninitialized: false, ...options, store });
  return middleware as unknown as (req: unknown, res: unknown, next: (error?: unknown) => void) => void;
}

export const answer = (res: ServerResponse, value: unknown): void => void res.end(JSON.stringify(value));

/** What a program with sessions serves over HTTP. */
export const routes: Readonly<Record<string, Handler>> = {
  "GET /data": (req, res) => answer(res, { ...req.session, cookie: undefined }),
  "POST /login": (req, res) => {
    req.session.regenerate(() => {
      req.session.user = "ada";
      req.session.n = 0;
      answer(res, "welcome");
    });
  },
  "POST /logout": (req, res) => req.session.destroy(() => answer(res, "bye")),
  "POST /increment": (req, res) => {
    // Others get a chance to interfere.
    setTimeout(() => {
      req.session.n = (req.session.n ?? 0) + 1;
      answer(res, req.session.n);
    }, 2);
  },
};

export interface AppSetup {
  readonly store: session.Store;
  readonly session?: Partial<session.SessionOptions>;
  readonly sessions?: Partial<SocketSessionsOptions>;
  readonly middleware?: MiddlewareOptions;
  readonly io?: Partial<ServerOptions>;
  readonly routes?: Readonly<Record<string, Handler>>;
  readonly port?: number;
}

export interface App {
  readonly io: Server;
  readonly sessions: SocketSessions;
  readonly http: HttpServer;
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A program on bare Node: express-session for requests and sockets, on one HTTP server. Closed when the test finishes. */
export async function startApp(setup: AppSetup): Promise<App> {
  const middleware = expressSession(setup.store, setup.session);
  const http = createServer();
  const io = new Server({ onListenerError: () => {}, ...setup.io });
  const sessions = new SocketSessions(io, { store: fromExpressStore(setup.store), ...setup.sessions });
  const withSession = sessions.middleware(middleware, setup.middleware);
  const served = { ...routes, ...setup.routes };
  http.on("request", (req: IncomingMessage, res: ServerResponse) => {
    if (req.url?.startsWith("/socket.io/")) return;
    withSession(req, res, (error) => {
      if (error) {
        res.statusCode = (error as { status?: number }).status ?? 500;
        return void answer(res, { code: (error as { code?: string }).code });
      }
      const handler = served[`${req.method} ${req.url}`];
      if (handler === undefined) return void res.writeHead(404).end();
      void handler(req as AppRequest, res);
    });
  });
  io.attach(http);
  io.engine.use(sessions.handshakeOnly(middleware));
  http.listen(setup.port ?? 0, "127.0.0.1");
  await once(http, "listening");
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    sessions.close();
    await io.close({ timeoutMs: 100 });
    http.closeAllConnections();
  };
  onTestFinished(close);
  const { port } = http.address() as AddressInfo;
  return { io, sessions, http, url: `http://127.0.0.1:${port}`, port, close };
}
