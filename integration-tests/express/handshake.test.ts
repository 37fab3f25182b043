import { socketio, type ExpressSocket } from "@plugboard/express";
import type { NextFunction, Request, Response } from "express";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { expressVersions, loadPeer } from "./peers.js";
import { startApp, urlOf } from "./start-app.js";
import { statusOf, type Refusal } from "./visitor.js";

const transports = ["polling", "websocket"] as const;

/** What a test puts on requests. */
type Marked = Request & { marks?: string[] };

describe.each(expressVersions)("Express $version", (express) => {
  describe.each(bothClients)("a handshake by $name", (client) => {
    describe.each(transports)("over %s", (transport) => {
      const options = { transports: [transport] };

      it("travels what was mounted before, and nothing behind", async () => {
        const mark = (name: string) => (req: Request, _res: Response, next: NextFunction) => {
          ((req as Marked).marks ??= []).push(name);
          next();
        };
        const { url, io } = await startApp(express, (app, io) => {
          app.set("trust proxy", true);
          app.use(mark("before"), io.middleware(), mark("behind"));
        });
        const connected = nextEvent<[ExpressSocket]>(io, "connection");
        await client.connect(url, {
          ...options,
          extraHeaders: { "x-forwarded-for": "203.0.113.7" },
          query: { a: "b" },
        });
        const [{ request, handshake }] = await connected;
        expect((request as Marked).marks).toEqual(["before"]);
        expect(request.ip).toBe("203.0.113.7");
        expect(request.query).toMatchObject({ a: "b" });
        expect(request.get("x-forwarded-for")).toBe("203.0.113.7");
        expect(handshake.query).toMatchObject({ a: "b", transport });
      });

      it("is refused by an answer of any middleware", async () => {
        const { url } = await startApp(express, (app, io) => {
          app.use((_req, res) => void res.status(402).json({ error: "pay first" }));
          app.use(io.middleware());
        });
        const [error] = await nextEvent<[Refusal]>(client.open(url, options), "connect_error");
        expect(statusOf(error)).toBe(402);
      });

      it("is refused by an error of any middleware, which goes to the error handlers of Express", async () => {
        const { url } = await startApp(express, (app, io) => {
          app.use((_req, _res, next) => next(new Error("down")));
          app.use(io.middleware());
          app.use((_error: Error, _req: Request, res: Response, _next: NextFunction) => void res.sendStatus(503));
        });
        const [error] = await nextEvent<[Refusal]>(client.open(url, options), "connect_error");
        expect(statusOf(error)).toBe(503);
      });

      it("is refused by the gate with its status", async () => {
        const { url } = await startApp(express, (app, io) => {
          app.use(io.middleware({ gate: (_req, res) => void res.sendStatus(401) }));
        });
        const [error] = await nextEvent<[Refusal]>(client.open(url, options), "connect_error");
        expect(statusOf(error)).toBe(401);
      });

      it.each(["an answer", "an error"])(
        "is refused by the gate with connect_error for %s, and stays away until connect()",
        async (way) => {
          let isOpen = false;
          const { url } = await startApp(express, (app, io) => {
            const gate = (_req: Request, res: Response, next: NextFunction): void => {
              if (isOpen) next();
              else if (way === "an error") next(Object.assign(new Error("log in"), { status: 401, code: "LOGIN" }));
              else res.status(401).json({ message: "log in", code: "LOGIN" });
            };
            app.use(io.middleware({ gate, refuseBy: "connect_error" }));
          });
          const socket = client.open(url, { ...options, reconnection: true });
          const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
          expect(error.message).toBe("log in");
          expect(error.data).toMatchObject({ status: 401, code: "LOGIN" });
          expect(socket.active).toBe(false);
          isOpen = true;
          const connected = nextEvent(socket, "connect");
          socket.connect();
          await connected;
        },
      );

      it("runs middlewares of io.engine behind the chain, for each request as in the reference", async () => {
        const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
        io.engine.use((_req: unknown, res: { writeHead(status: number): { end(text: string): void } }) => {
          res.writeHead(418).end("a teapot");
        });
        const [error] = await nextEvent<[Refusal]>(client.open(url, options), "connect_error");
        expect(statusOf(error)).toBe(418);
      });

      it("from a page of another origin is refused, and from an own page or one that cors() allows is not", async () => {
        const cors = await loadPeer("cors");
        const { url } = await startApp(express, (app, io) => {
          app.use(cors({ origin: "https://app.example", credentials: true }), io.middleware());
        });
        const from = (origin: string): object => ({ ...options, extraHeaders: { origin } });
        const [error] = await nextEvent<[Refusal]>(client.open(url, from("https://evil.example")), "connect_error");
        expect(statusOf(error)).toBe(403);
        await client.connect(url, from(url));
        await client.connect(url, from("https://app.example"));
      });

      it("of an application without io.middleware() is answered with 404, and a warning says why", async () => {
        const { url } = await startApp(express, () => {});
        const warned = nextEvent<[Error & { code?: string }]>(process, "warning");
        const [error] = await nextEvent<[Refusal]>(client.open(url, options), "connect_error");
        expect(statusOf(error)).toBe(404);
        expect((await warned)[0].code).toBe("SIO_EXPRESS_NO_MIDDLEWARE");
      });
    });

    it.each(["handshake", "all"] as const)("with runOn %j decides which requests travel the chain", async (runOn) => {
      const seen = { all: 0, handshakes: 0 };
      const { url, io } = await startApp(
        express,
        (app, io) => {
          app.use((_req, _res, next) => (seen.all++, next()));
          app.use(io.handshakeOnly((_req, _res, next) => (seen.handshakes++, next())));
          app.use(io.middleware());
        },
        { runOn },
      );
      io.on("connection", (socket) => socket.handle("double", (n: number) => 2 * n));
      const socket = await client.connect(url, { transports: ["polling"] });
      for (let n = 0; n < 3; n++) expect(await socket.emitWithAck("double", n)).toBe(2 * n);
      expect(seen.handshakes).toBe(1);
      if (runOn === "handshake") expect(seen.all).toBe(1);
      else expect(seen.all).toBeGreaterThan(3);
    });

    it("changes from polling to websocket", async () => {
      const { url } = await startApp(express, (app, io) => app.use(io.middleware()));
      const socket = await client.connect(url, { transports: ["polling", "websocket"] });
      if (socket.io.engine.transport.name !== "websocket") await nextEvent(socket.io.engine, "upgrade");
      expect(socket.io.engine.transport.name).toBe("websocket");
    });

    it("works with a server of one's own, and with one that comes to serve the application unannounced", async () => {
      const app = (await express.load())();
      const io = socketio(app);
      app.use(io.middleware());
      const server = createServer(app).listen(0, "127.0.0.1");
      io.attach(server);
      await once(server, "listening");
      onTestFinished(() => io.close());
      await client.connect(urlOf(server));
      const other = createServer(app).listen(0, "127.0.0.1");
      await once(other, "listening");
      const socket = await client.connect(urlOf(other), { transports: ["polling", "websocket"] });
      if (socket.io.engine.transport.name !== "websocket") await nextEvent(socket.io.engine, "upgrade");
    });

    it("works behind helmet, compression, morgan, express-rate-limit and cors", async () => {
      const [helmet, compression, cors] = await Promise.all([
        loadPeer("helmet"),
        loadPeer("compression"),
        loadPeer("cors"),
      ]);
      const morgan = await loadPeer<(format: string, options: object) => ReturnType<typeof helmet>>("morgan");
      const { rateLimit } = await loadPeer<{ rateLimit: typeof helmet }>("express-rate-limit");
      const lines: string[] = [];
      const { url, io } = await startApp(express, (app, io) => {
        app.use(morgan(":method :status", { stream: { write: (line: string) => lines.push(line.trim()) } }));
        app.use(
          helmet(),
          cors({ origin: "https://app.example", credentials: true }),
          compression({ threshold: 0 }),
          rateLimit({ limit: 2 }),
        );
        app.use(io.middleware());
      });
      io.on("connection", (socket) => socket.handle("long", () => "x".repeat(5000)));
      const polling = await client.connect(url, { transports: ["polling"] });
      expect(await polling.emitWithAck("long")).toHaveLength(5000);
      await client.connect(url);
      expect(lines).toContain("GET 101");
      const [error] = await nextEvent<[Refusal]>(client.open(url), "connect_error");
      expect(statusOf(error)).toBe(429);
    });
  });

  it("puts the header fields of the chain on handshakes, polls and the 101", async () => {
    const helmet = await loadPeer("helmet");
    const { url } = await startApp(express, (app, io) => app.use(helmet(), io.middleware()));
    const handshake = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };
    const post = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" });
    const poll = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    for (const { headers } of [handshake, post, poll]) {
      expect(headers.get("strict-transport-security")).toMatch(/max-age/);
      expect(headers.get("content-security-policy")).toMatch(/default-src/);
      expect(headers.get("x-powered-by")).toBeNull();
    }
    const foreign = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
      headers: { origin: "https://evil.example" },
    });
    expect(foreign.status).toBe(403);
    const websocket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    onTestFinished(() => websocket.terminate());
    const [response] = await nextEvent<[{ headers: Record<string, string> }]>(websocket, "upgrade");
    expect(response.headers["strict-transport-security"]).toMatch(/max-age/);
  });

  it("leaves the upgrades of others alone, whoever came first", async () => {
    const app = (await express.load())();
    const io = socketio(app);
    app.use(io.middleware());
    const server = createServer(app);
    const before = new WebSocketServer({ server, path: "/hmr" });
    io.attach(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => io.close());
    const url = urlOf(server);
    const hmr = new WebSocket(`${url.replace("http", "ws")}/hmr`);
    await nextEvent(hmr, "open");
    await bothClients[0]!.connect(url);
    hmr.terminate();
    before.close();
  });

  it("answers an upgrade that nobody takes as Express answers any request", async () => {
    const { url } = await startApp(express, (app, io) => app.use(io.middleware()));
    const websocket = new WebSocket(`${url.replace("http", "ws")}/elsewhere`);
    const [error] = await nextEvent<[Error]>(websocket, "error");
    expect(error.message).toContain("404");
  });

  it("can be mounted in a router at a path, which is part of its own", async () => {
    const { url } = await startApp(express, (app, io) => app.use("/live", io.middleware()), {
      path: "/live/socket.io",
    });
    for (const transport of transports) {
      await bothClients[0]!.connect(url, { path: "/live/socket.io", transports: [transport] });
    }
  });

  it("serves the files of the browser client", async () => {
    const { url } = await startApp(express, (app, io) => app.use(io.middleware()));
    expect((await fetch(`${url}/socket.io/socket.io.js`)).status).toBe(200);
  });
});
