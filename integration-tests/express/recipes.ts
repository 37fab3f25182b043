import { socketio, type ExpressServer, type SocketioOptions } from "@plugboard/express";
import type { Express, NextFunction, Request, Response } from "express";
import session from "express-session";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer } from "node:http";
import { Server as PublishedServer, type Socket as PublishedSocket } from "socket.io";
import { onTestFinished } from "vitest";
import type { expressVersions } from "./peers.js";
import { memoryOnly } from "./session-app.js";
import { urlOf } from "./start-app.js";

/** What these tests keep in sessions. */
export interface ShopData {
  user?: string;
  count?: number;
  cart?: string[];
}
export type ShopSession = session.Session & ShopData;
type WithSession<Req> = Req & { session: ShopSession };

export interface Shop {
  readonly app: Express;
  readonly server: HttpServer;
  readonly store: session.Store;
  readonly url: string;
}

export interface ShopOptions {
  store?: session.Store;
  session?: Partial<session.SessionOptions>;
  /** Middlewares before the session. */
  before?: (app: Express) => unknown;
  /** Default: any that is free. */
  port?: number;
}

const sessionMiddleware = (store: session.Store, options: Partial<session.SessionOptions> = {}) =>
  session({ store, secret: "s", resave: true, saveUninitialized: false, ...options });

export const shopSession = (req: IncomingMessage): ShopSession => (req as WithSession<IncomingMessage>).session;

/** The routes of an application with a login. */
function mountRoutes(app: Express): void {
  app.post("/login", (req, res) => {
    shopSession(req).user = "ada";
    res.json({});
  });
  app.post("/logout", (req, res) => void req.session.destroy(() => res.json({})));
  app.post("/cart", (req, res) => {
    (shopSession(req).cart ??= []).push("book");
    res.json({});
  });
  app.get("/data", (req, res) => void res.json(req.session));
}

/** What programs of Express and the published server do: an HTTP server made for both, the session middleware given to both. */
export async function startRecipe(
  { load }: (typeof expressVersions)[number],
  { store = memoryOnly(), session: options, before }: ShopOptions = {},
): Promise<Shop & { io: PublishedServer }> {
  const app = (await load())();
  const server = createServer(app);
  const io = new PublishedServer(server);
  before?.(app);
  const withSession = sessionMiddleware(store, options);
  app.use(withSession);
  io.engine.use(withSession);
  mountRoutes(app);
  io.use((socket, next) => next(shopSession(socket.request).user === undefined ? new Error("log in") : undefined));
  io.on("connection", (socket: PublishedSocket) => {
    const { request } = socket;
    socket.on("count", (answer: (count: number) => void) => {
      shopSession(request).reload(() => {
        const data = shopSession(request);
        data.count = (data.count ?? 0) + 1;
        data.save(() => answer(data.count ?? 0));
      });
    });
    socket.on("data", (answer: (data: unknown) => void) => answer(shopSession(request)));
  });
  return { app, io, server, store, url: await listening(server, () => io.close()) };
}

/** The same application with this package. */
export async function startOurs(
  { load }: (typeof expressVersions)[number],
  { store = memoryOnly(), session: options, before, port, ...others }: ShopOptions & { io?: SocketioOptions } = {},
): Promise<Shop & { io: ExpressServer }> {
  const app = (await load())();
  const server = createServer(app);
  const io = socketio(app, { server, ...others.io });
  before?.(app);
  app.use(sessionMiddleware(store, options));
  app.use(
    io.middleware({
      gate: (req: Request, res: Response, next: NextFunction) =>
        shopSession(req).user === undefined ? void res.sendStatus(401) : next(),
    }),
  );
  mountRoutes(app);
  io.on("connection", (socket) => {
    socket.handle("count", async () => {
      const data = await socket.session.update((draft: ShopData) => void (draft.count = (draft.count ?? 0) + 1));
      return (data as ShopData).count;
    });
    socket.handle("data", () => socket.session.data);
  });
  return { app, io, server, store, url: await listening(server, () => io.close(), port) };
}

export async function listening(server: HttpServer, close: () => Promise<unknown>, port = 0): Promise<string> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await close();
  });
  return urlOf(server);
}
