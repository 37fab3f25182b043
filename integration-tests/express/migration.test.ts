import { socketio } from "@plugboard/express";
import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import session from "express-session";
import { Server as PublishedServer } from "socket.io";
import { describe, expect, it, onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { expressVersions, loadPeer } from "./peers.js";
import { shopSession, type ShopData } from "./recipes.js";
import { expireSoon, memoryOnly } from "./session-app.js";
import { urlOf } from "./start-app.js";
import { clientKinds, stock, Visitor, type ClientKind } from "./visitor.js";

/*
 * The table of the README of @plugboard/express, "From io.engine.use(session)": a program with all that is on its left side, and
 * the same program with all that is on its right side. Whoever uses them sees no difference.
 */

interface Program {
  readonly url: string;
  readonly server: HttpServer;
  /** Requests for which the middleware has run that is for handshakes alone. */
  handshakes(): number;
  /** Has all sessions end in a moment. */
  expire(): void;
  /** Ends Socket.IO. */
  close(): Promise<unknown>;
}

/** @param onEnd - for this package: whether who has lost its session may ask again */
type Start = (express: (typeof expressVersions)[number], onEnd?: "disconnect" | "rehandshake") => Promise<Program>;

const origin = "https://app.example";

function sessionIn(store: session.Store): RequestHandler {
  const cookie = { maxAge: 3_600_000 };
  return session({ store, secret: "s", resave: false, saveUninitialized: false, cookie });
}

function mountLogin(app: Express): void {
  app.post("/login", (req, res) => {
    shopSession(req).user = "ada";
    res.json({});
  });
}

const withRecipes: Start = async ({ load }) => {
  const cors = await loadPeer("cors");
  const store = memoryOnly();
  const app = (await load())();
  const httpServer = createServer(app);
  const io = new PublishedServer(httpServer, { cors: { origin, credentials: true } });
  app.use(cors({ origin, credentials: true }));
  const sessionMiddleware = sessionIn(store);
  app.use(sessionMiddleware);
  io.engine.use(sessionMiddleware);
  let handshakes = 0;
  const onlyForHandshake =
    (middleware: (req: IncomingMessage, res: ServerResponse, next: () => void) => void) =>
    (req: IncomingMessage & { _query: { sid?: string } }, res: ServerResponse, next: () => void): void => {
      if (req._query.sid === undefined) middleware(req, res, next);
      else next();
    };
  io.engine.use(onlyForHandshake((_req, _res, next) => (handshakes++, next())));
  io.engine.use(
    onlyForHandshake((req, res, next) => {
      if (shopSession(req).user !== undefined) return next();
      res.writeHead(401);
      res.end();
    }),
  );
  app.set("io", io);
  mountLogin(app);
  app.post("/news", (req, res) => {
    (req.app.get("io") as PublishedServer).emit("news", "to all");
    (req.app.get("io") as PublishedServer).to(req.session.id).emit("news", "to the session");
    res.json({});
  });
  app.post("/logout", (req, res) => {
    const { id } = req.session;
    req.session.destroy(() => {
      io.in(id).disconnectSockets();
      res.json({});
    });
  });
  io.on("connection", (socket) => {
    const { request } = socket;
    const { id } = shopSession(request);
    void socket.join(id);
    socket.on("count", (answer: (count: number) => void) => {
      shopSession(request).reload(() => {
        const data = shopSession(request);
        data.count = (data.count ?? 0) + 1;
        data.save(() => answer(data.count!));
      });
    });
    const timer = setInterval(() => {
      shopSession(request).reload((error: unknown) => {
        if (error) socket.conn.close();
      });
    }, 100);
    socket.on("disconnect", () => clearInterval(timer));
  });
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  return {
    url: urlOf(httpServer),
    server: httpServer,
    handshakes: () => handshakes,
    expire: () => expireSoon(store),
    close: () => io.close(),
  };
};

const withThisPackage: Start = async ({ load }, onEnd = "disconnect") => {
  const cors = await loadPeer("cors");
  const store = memoryOnly();
  const app = (await load())();
  const io = socketio(app, { session: { onEnd } });
  app.use(cors({ origin, credentials: true }));
  app.use(sessionIn(store));
  let handshakes = 0;
  app.use(io.handshakeOnly((_req, _res, next) => (handshakes++, next())));
  const gate = (req: Request, res: Response, next: NextFunction): void => {
    if (shopSession(req).user === undefined) res.sendStatus(401);
    else next();
  };
  app.use(io.middleware({ gate }));
  mountLogin(app);
  app.post("/news", (req, res) => {
    req.io.emit("news", "to all");
    req.io.session(req).emit("news", "to the session");
    res.json({});
  });
  app.post("/logout", (req, res) => void req.session.destroy(() => res.json({})));
  io.on("connection", (socket) => {
    socket.handle("count", async () => {
      const data = await socket.session.update((draft: ShopData) => void (draft.count = (draft.count ?? 0) + 1));
      return (data as ShopData).count;
    });
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: urlOf(server),
    server,
    handshakes: () => handshakes,
    expire() {
      expireSoon(store);
      // It knows of the end that was, for nobody else writes into a store in memory.
      for (const socket of io.sockets.sockets.values()) void socket.session.reload().catch(() => {});
    },
    close: () => io.shutdown({ timeoutMs: 5000 }),
  };
};

const programs: [name: string, start: Start, kinds: readonly ClientKind[]][] = [
  ["the published server, with recipes", withRecipes, clientKinds.filter(({ io }) => io === stock)],
  ["this package", withThisPackage, clientKinds],
];

describe.each(expressVersions)("Express $version", (express) => {
  describe.each(programs)("and %s", (_name, start, kinds) => {
    async function started(): Promise<Program & { visitor: Visitor }> {
      const program = await start(express);
      onTestFinished(async () => {
        program.server.closeAllConnections();
        await program.close();
      });
      return { ...program, visitor: new Visitor(program.url) };
    }

    it.each(kinds)("$name: is refused with 401 before the login, and has the session after it", async (kind) => {
      const { visitor } = await started();
      const refused = nextEvent<[{ message: string }]>(visitor.open(kind, { reconnection: false }), "connect_error");
      expect((await refused)[0].message).toMatch(/error$/);
      await visitor.post("/login");
      const socket = await visitor.connect(kind);
      expect(await socket.emitWithAck("count")).toBe(1);
      expect(await socket.emitWithAck("count")).toBe(2);
    });

    it.each(kinds)("$name: has what is for handshakes run once for its connection", async (kind) => {
      const { visitor, handshakes } = await started();
      await visitor.post("/login");
      const socket = await visitor.connect(kind);
      for (let n = 0; n < 3; n++) await socket.emitWithAck("count");
      expect(handshakes()).toBe(1);
    });

    it.each(kinds)("$name: hears what a request has to say to all, and to its session", async (kind) => {
      const { visitor } = await started();
      await visitor.post("/login");
      const socket = await visitor.connect(kind);
      const heard: string[] = [];
      const both = new Promise<void>((resolve) => {
        socket.on("news", (text: string) => heard.push(text) === 2 && resolve());
      });
      await visitor.post("/news");
      await both;
      expect(heard).toEqual(["to all", "to the session"]);
    });

    it.each(kinds)("$name: is sent away by the logout", async (kind) => {
      const { visitor } = await started();
      await visitor.post("/login");
      const socket = await visitor.connect(kind);
      const ended = nextEvent(socket, "disconnect");
      await visitor.post("/logout");
      expect((await ended)[0]).toBe("io server disconnect");
    });

    it.each(kinds)("$name: may come from a page of the origin that is allowed, and read the answers", async (kind) => {
      const { visitor, url } = await started();
      await visitor.post("/login");
      visitor.headers["origin"] = origin;
      await visitor.connect(kind);
      const { headers } = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: visitor.headers });
      expect(headers.get("access-control-allow-origin")).toBe(origin);
      expect(headers.get("access-control-allow-credentials")).toBe("true");
    });

    it("whoever is there is sent away when it closes, and its HTTP server closes too", async () => {
      const { visitor, server, close } = await started();
      await visitor.post("/login");
      const sockets = await Promise.all(kinds.map((kind) => visitor.connect(kind, { reconnection: false })));
      const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
      await close();
      await Promise.all(ended);
      expect(server.listening).toBe(false);
    });
  });
});

it("when the session expires, whoever is there comes back and is refused, by either program", async () => {
  const all = programs.map(async ([, start, kinds]) => {
    const { url, server, expire, close } = await start(expressVersions[1]!, "rehandshake");
    onTestFinished(async () => {
      server.closeAllConnections();
      await close();
    });
    const visitor = new Visitor(url);
    await visitor.post("/login");
    const sockets = await Promise.all(kinds.map((kind) => visitor.connect(kind)));
    const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
    const refused = sockets.map((socket) => nextEvent(socket, "connect_error"));
    expire();
    await Promise.all([...ended, ...refused]);
  });
  await Promise.all(all);
});
