import type { SocketioOptions } from "@plugboard/express";
import type { Request } from "express";
import session from "express-session";
import { passportOf, type expressVersions, type Passport, type User } from "./peers.js";
import { startApp, type Setup, type StartedApp } from "./start-app.js";

/** What these tests keep in sessions. */
export interface Data {
  count?: number;
  cart?: string[];
}
export type WithData = Request & { session: Data };

/** Sessions of a test, in memory. */
export function memoryOnly(): session.Store {
  return new session.MemoryStore().setMaxListeners(0);
}

/** Has the sessions of a store end in a moment, as far as the store knows. */
export function expireSoon(store: session.Store): void {
  const { sessions } = store as unknown as { sessions: Record<string, string> };
  for (const [id, text] of Object.entries(sessions)) {
    const { cookie, ...data } = JSON.parse(text) as { cookie: object };
    sessions[id] = JSON.stringify({ ...data, cookie: { ...cookie, expires: new Date(Date.now() + 50) } });
  }
}

export interface ShopApp extends StartedApp {
  readonly passport: Passport;
  /** By name, which is their id. */
  readonly users: Map<string, User>;
}

/** An application with sessions and a login by passport, whose gate lets in who is logged in. */
export async function startShop(
  express: (typeof expressVersions)[number],
  store: session.Store,
  { setup, cookie, ...options }: SocketioOptions & { setup?: Setup; cookie?: session.CookieOptions } = {},
): Promise<ShopApp> {
  const users = new Map<string, User>([["ada", { id: "ada", name: "Ada" }]]);
  const passport = await passportOf(users);
  const started = await startApp(
    express,
    (app, io) => {
      app.use(
        session({
          store,
          secret: "s",
          resave: true,
          rolling: true,
          saveUninitialized: false,
          ...(cookie && { cookie }),
        }),
      );
      app.use(passport.session());
      app.use(io.middleware({ gate: (req, res, next) => (req.isAuthenticated() ? next() : void res.sendStatus(401)) }));
      app.post("/login", (req, _res, next) => {
        Object.defineProperty(req, "query", { value: { username: "ada", password: "secret" } });
        next();
      });
      app.post("/login", passport.authenticate("local"), (_req, res) => void res.json({}));
      app.post("/logout", (req, res, next) => req.logout((error) => (error ? next(error) : void res.json({}))));
      app.post("/destroy", (req, res) => void req.session.destroy(() => res.json({})));
      app.post("/regenerate", (req, res) => void req.session.regenerate(() => res.json({})));
      app.post("/count", (req, res) => {
        const { session } = req as unknown as WithData;
        session.count = (session.count ?? 0) + 1;
        res.json({ count: session.count });
      });
      app.get("/data", (req, res) => void res.json(req.session));
      app.post("/tell", (req, res) => {
        req.io.session(req).emit("told", "session");
        req.io.user("ada").emit("told", "user");
        res.json({});
      });
      io.on("connection", (socket) => {
        socket.handle("count", async () => {
          const data = (await socket.session.update(async (draft: Data) => {
            const before = draft.count ?? 0;
            await new Promise((resolve) => setImmediate(resolve));
            draft.count = before + 1;
          })) as Data;
          return data.count;
        });
        socket.handle("cart:add", async (sku: string) => {
          const data = (await socket.session.update((draft: Data) => void (draft.cart ??= []).push(sku))) as Data;
          return data.cart?.length;
        });
        socket.handle("who", () => (socket.request as unknown as { user?: User }).user?.name);
        socket.handle("refresh", async () => ((await socket.refreshUser()) as User | undefined)?.name ?? "nobody");
      });
      return setup?.(app, io);
    },
    { passport, ...options },
  );
  return { ...started, passport, users };
}

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- what packages put on requests is declared there
  namespace Express {
    interface Request {
      isAuthenticated(): boolean;
      logout(done: (error?: unknown) => void): void;
    }
  }
}
