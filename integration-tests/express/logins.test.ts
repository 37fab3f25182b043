import type { ExpressSocket } from "@plugboard/express";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import session from "express-session";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { expressVersions, loadPeer, type Passport, type User } from "./peers.js";
import { startApp } from "./start-app.js";
import { clientKinds, statusOf, Visitor, type Refusal } from "./visitor.js";

const SECRET = "a secret of at least thirty-two characters";

type With<Added> = Request & Added;

let issuer: OAuth2Server;
beforeAll(async () => {
  const { OAuth2Server } = await loadPeer<{ OAuth2Server: new () => OAuth2Server }>("oauth2-mock-server");
  issuer = new OAuth2Server();
  await issuer.issuer.keys.generate("RS256");
  await issuer.start(0, "127.0.0.1");
});
afterAll(() => issuer.stop());

async function newPassport(): Promise<Passport> {
  const { Passport } = await loadPeer<{ Passport: new () => Passport }>("passport");
  const passport = new Passport();
  passport.serializeUser((user, done) => done(null, user.id));
  passport.deserializeUser((id, done) => done(null, { id }));
  return passport;
}

/** Whoever is connected is told to leave, and is refused when it comes back. */
async function everyoneLeaves(visitor: Visitor, logout: () => Promise<unknown>): Promise<void> {
  const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind)));
  const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
  const refused = sockets.map((socket) => nextEvent<[Refusal]>(socket, "connect_error"));
  await logout();
  await Promise.all(ended);
  for (const [error] of await Promise.all(refused)) expect(statusOf(error)).toBe(401);
  for (const socket of sockets) socket.disconnect();
}

describe.each(expressVersions)("Express $version, who has logged in by", (express) => {
  it("passport-jwt: its token decides on handshakes, and its user is on socket.request", async () => {
    const { Strategy, ExtractJwt } = await loadPeer<PassportJwt>("passport-jwt");
    const { sign } = await loadPeer<{ sign(payload: object, secret: string, options: object): string }>("jsonwebtoken");
    const passport = await newPassport();
    const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
    passport.use(
      new Strategy({ jwtFromRequest, secretOrKey: SECRET }, ({ sub }, done) => done(null, { id: sub } as User)),
    );
    const { url } = await startApp(express, (app, io) => {
      app.use(io.middleware({ gate: passport.authenticate("jwt", { session: false }) }));
      io.on("connection", (socket) => {
        socket.handle("who", () => (socket.request as With<{ user: User }>).user.id);
      });
    });
    const visitor = new Visitor(url);
    await visitor.everyClientIsRefused(401);
    visitor.headers["authorization"] = `Bearer ${sign({ sub: "ada" }, SECRET, { expiresIn: 60 })}`;
    await visitor.everyClientHears("who", "ada");
    visitor.headers["authorization"] = `Bearer ${sign({ sub: "ada" }, SECRET, { expiresIn: -60 })}`;
    await visitor.everyClientIsRefused(401);
  });

  it("passport-oauth2, at another server: sockets have the user, and end with the logout", async () => {
    const OAuth2Strategy = await loadPeer<OAuth2StrategyConstructor>("passport-oauth2");
    const passport = await newPassport();
    const strategy = new OAuth2Strategy(
      {
        authorizationURL: `${issuer.issuer.url}/authorize`,
        tokenURL: `${issuer.issuer.url}/token`,
        clientID: "shop",
        clientSecret: "secret",
        callbackURL: "/callback",
        state: true,
        pkce: true,
        scope: "openid",
      },
      (_access, _refresh, { id_token: idToken }, _profile, done) => {
        const { sub } = JSON.parse(Buffer.from(idToken.split(".")[1] as string, "base64url").toString()) as {
          sub: string;
        };
        done(null, { id: sub });
      },
    );
    passport.use(strategy);
    const { url } = await startApp(express, (app, io) => {
      app.use(session({ secret: "s", resave: false, saveUninitialized: false }), passport.session());
      app.use(io.middleware({ gate: (req, res, next) => (req.isAuthenticated() ? next() : void res.sendStatus(401)) }));
      app.get("/login", passport.authenticate("oauth2"));
      app.get("/callback", passport.authenticate("oauth2"), (_req, res) => void res.send("welcome"));
      app.post("/logout", (req, res, next) => req.logout((error) => (error ? next(error) : void res.json({}))));
      io.on("connection", (socket) => {
        socket.handle("who", () => (socket.request as With<{ user: User }>).user.id);
      });
    });
    const visitor = new Visitor(url);
    await visitor.everyClientIsRefused(401);
    expect(await (await visitor.fetch("/login")).text()).toBe("welcome");
    await visitor.everyClientHears("who", "johndoe");
    await everyoneLeaves(visitor, () => visitor.post("/logout"));
  });

  it("express-openid-connect: its user is on socket.request, and the logout ends who has it by io.user", async () => {
    const { auth } = await loadPeer<{ auth(options: object): RequestHandler }>("express-openid-connect");
    const openId: { middleware?: RequestHandler } = {};
    const { url } = await startApp(
      express,
      (app, io) => {
        app.use((req, res, next) => void openId.middleware?.(req, res, next));
        app.use(
          io.middleware({
            gate: (req, res, next) =>
              (req as OpenIdRequest).oidc.isAuthenticated() ? next() : void res.sendStatus(401),
          }),
        );
        app.post("/leave", (req, res) => {
          // The session is in a cookie: nothing else would tell sockets.
          io.user((req as OpenIdRequest).oidc.user.sub).disconnectSockets();
          void (res as Response & OpenIdLogout).oidc.logout({ returnTo: "/" });
        });
        app.get("/", (_req, res) => void res.send("home"));
        io.on("connection", (socket) => {
          socket.handle("who", () => (socket.request as OpenIdRequest).oidc.user.sub);
        });
      },
      { userIdOf: (request) => (request as OpenIdRequest).oidc.user.sub },
    );
    openId.middleware = auth({
      issuerBaseURL: issuer.issuer.url,
      baseURL: url,
      clientID: "shop",
      clientSecret: "secret",
      secret: SECRET,
      authRequired: false,
      idpLogout: false,
      authorizationParams: { response_type: "code", scope: "openid" },
    });
    issuer.service.once("beforeTokenSigning", ({ payload }) => Object.assign(payload, { aud: "shop" }));
    const visitor = new Visitor(url);
    await visitor.everyClientIsRefused(401);
    expect(await (await visitor.fetch("/login")).text()).toBe("home");
    await visitor.everyClientHears("who", "johndoe");
    const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind)));
    const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
    expect(await (await visitor.post("/leave")).text()).toBe("home");
    for (const [reason] of await Promise.all(ended)) expect(reason).toBe("io server disconnect");
    await visitor.everyClientIsRefused(401);
  });

  it("iron-session: sockets can read it, update says why it cannot write, and it ends nobody by itself", async () => {
    const { getIronSession } = await loadPeer<{
      getIronSession(req: Request, res: Response, options: object): Promise<IronSession>;
    }>("iron-session");
    const { url } = await startApp(express, (app, io) => {
      app.use((req, res, next) => {
        getIronSession(req, res, { password: SECRET, cookieName: "iron", cookieOptions: { secure: false } })
          .then((found) => {
            Object.assign(req, { session: found });
            next();
          })
          .catch(next);
      });
      const ironOf = (req: Request): IronSession => req.session as unknown as IronSession;
      app.use(io.middleware({ gate: (req, res, next) => (ironOf(req).user ? next() : void res.sendStatus(401)) }));
      app.post("/login", async (req, res) => {
        ironOf(req).user = "ada";
        await ironOf(req).save();
        res.json({});
      });
      app.post("/logout", (req, res) => {
        ironOf(req).destroy();
        res.json({});
      });
      io.on("connection", (socket: ExpressSocket) => {
        socket.handle("read", () => socket.session.data);
        socket.handle("write", () => socket.session.update(() => {}));
      });
    });
    const visitor = new Visitor(url);
    await visitor.everyClientIsRefused(401);
    await visitor.post("/login");
    await visitor.everyClientHears("read", { user: "ada" });
    const stays = await visitor.connect(clientKinds[0]!);
    expect(await stays.emitWithAck("write")).toMatchObject({ status: "error", code: "SIO_SESSION_READ_ONLY" });
    await visitor.post("/logout");
    expect(await stays.emitWithAck("read")).toEqual({ user: "ada" });
    await visitor.everyClientIsRefused(401);
  });

  it("better-auth: its session decides on handshakes, and a sign-out ends who has it by io.user", async () => {
    const { betterAuth } = await loadPeer<{ betterAuth(options: object): BetterAuth }>("better-auth");
    const { memoryAdapter } = await loadPeer<{ memoryAdapter(tables: object): object }>("better-auth/adapters/memory");
    const { toNodeHandler, fromNodeHeaders } = await loadPeer<BetterAuthNode>("better-auth/node");
    const { url } = await startApp(express, (app, io) => {
      const auth = betterAuth({
        // Where it listens is known later.
        baseURL: "http://127.0.0.1",
        trustedOrigins: ["http://127.0.0.1:*"],
        secret: SECRET,
        database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
        emailAndPassword: { enabled: true },
        telemetry: { enabled: false },
        databaseHooks: {
          session: { delete: { after: async ({ userId }: { userId: string }) => io.user(userId).disconnectSockets() } },
        },
      });
      const gate = async (req: Request, res: Response, next: NextFunction): Promise<void> => {
        const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) });
        if (found === null) return void res.sendStatus(401);
        Object.assign(req, { user: found.user });
        next();
      };
      app.use("/api/auth", (req, res) => void toNodeHandler(auth)(req, res));
      app.use(io.middleware({ gate: (req, res, next) => void gate(req, res, next).catch(next) }));
      io.on("connection", (socket) => {
        socket.handle("who", () => (socket.request as With<{ user: { name: string } }>).user.name);
      });
    });
    const visitor = new Visitor(url);
    await visitor.everyClientIsRefused(401);
    const json = { "content-type": "application/json", origin: url };
    const body = JSON.stringify({ name: "Ada", email: "ada@example.com", password: "a long password" });
    expect((await visitor.post("/api/auth/sign-up/email", { headers: json, body })).status).toBe(200);
    await visitor.everyClientHears("who", "Ada");
    const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind)));
    const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
    expect((await visitor.post("/api/auth/sign-out", { headers: json, body: "{}" })).status).toBe(200);
    for (const [reason] of await Promise.all(ended)) expect(reason).toBe("io server disconnect");
    await visitor.everyClientIsRefused(401);
  });
});

interface OAuth2Server {
  readonly issuer: { readonly url: string; readonly keys: { generate(algorithm: string): Promise<unknown> } };
  readonly service: { once(event: string, listener: (token: { payload: object }) => void): unknown };
  start(port: number, host: string): Promise<void>;
  stop(): Promise<void>;
}

type Done = (error: unknown, user: User | false) => void;

interface PassportJwt {
  Strategy: new (options: object, verify: (payload: { sub: string }, done: Done) => void) => object;
  ExtractJwt: { fromAuthHeaderAsBearerToken(): object };
}

type OAuth2StrategyConstructor = new (
  options: object,
  verify: (access: string, refresh: string, tokens: { id_token: string }, profile: object, done: Done) => void,
) => object;

type OpenIdRequest = With<{
  oidc: { isAuthenticated(): boolean; user: { sub: string } };
}>;
interface OpenIdLogout {
  oidc: { logout(options: object): Promise<void> };
}

interface IronSession {
  user?: string;
  save(): Promise<void>;
  destroy(): void;
}

interface BetterAuth {
  api: { getSession(options: { headers: Headers }): Promise<{ user: { id: string; name: string } } | null> };
}

interface BetterAuthNode {
  toNodeHandler(auth: BetterAuth): (req: Request, res: Response) => Promise<void>;
  fromNodeHeaders(headers: Request["headers"]): Headers;
}
