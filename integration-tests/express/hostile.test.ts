import type { NextFunction, Request, Response } from "express";
import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { enginePath, RawConnection } from "../support/raw-connection.js";
import { expressVersions } from "./peers.js";
import { memoryOnly, startShop } from "./session-app.js";
import { startApp, type Setup, type StartedApp } from "./start-app.js";
import { Visitor } from "./visitor.js";

const PATHS = [enginePath("websocket"), "/elsewhere"];

/** Asks for an upgrade, and says nothing more. */
async function askUpgrade(
  { server }: StartedApp,
  path: string = enginePath("websocket"),
  cookie: string = "",
): Promise<RawConnection> {
  const { port } = server.address() as AddressInfo;
  const connection = await RawConnection.open(port);
  onTestFinished(() => void connection.socket.destroy());
  connection.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  return connection;
}

/** An application whose one middleware does not do what it should, and the connections that it let in. */
async function startFaulty(
  express: (typeof expressVersions)[number],
  middleware: (req: Request, res: Response, next: NextFunction) => void,
  where: "chain" | "gate" = "chain",
) {
  const setup: Setup = (app, io) => {
    if (where === "gate") return app.use(io.middleware({ gate: middleware }));
    app.use(middleware);
    app.use(io.middleware());
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
      if (!res.headersSent) res.status(503).send(error.message);
    });
  };
  const started = await startApp(express, setup);
  let connections = 0;
  started.io.engine.on("connection", () => connections++);
  return { ...started, connections: () => connections };
}

describe.each(expressVersions)("Express $version", (express) => {
  describe.each(["chain", "gate"] as const)("a middleware of the %s", (where) => {
    it("that answers and goes on all the same has refused", async () => {
      const app = await startFaulty(
        express,
        (_req, res, next) => {
          res.status(401).send("no");
          next();
        },
        where,
      );
      expect(await (await askUpgrade(app)).rest()).toMatch(/^HTTP\/1.1 401 [^]*no$/);
      const answer = await fetch(app.url + enginePath("polling"));
      expect([answer.status, await answer.text()]).toEqual([401, "no"]);
      expect(app.connections()).toBe(0);
    });

    it("that goes on twice lets in once", async () => {
      const app = await startFaulty(
        express,
        (_req, _res, next) => {
          next();
          next();
        },
        where,
      );
      expect((await fetch(app.url + enginePath("polling"))).status).toBe(200);
      expect(await (await askUpgrade(app)).upgraded()).toBe(101);
      expect(app.connections()).toBe(2);
    });

    it("that goes on and answers then has let in, and its answer is nobody's", async () => {
      const app = await startFaulty(
        express,
        (_req, res, next) => {
          next();
          res.end("late");
        },
        where,
      );
      const connection = await askUpgrade(app);
      expect(await connection.upgraded()).toBe(101);
      expect(await connection.nextText()).toMatch(/^0\{"sid"/);
    });
  });

  it("what fails when the header of the 101 is written is answered by the error handlers, and the socket ends", async () => {
    const app = await startFaulty(express, (_req, res, next) => {
      const { writeHead } = res;
      res.writeHead = (() => {
        res.writeHead = writeHead;
        throw new Error("no header");
      }) as never;
      next();
    });
    expect(await (await askUpgrade(app)).rest()).toMatch(/^HTTP\/1.1 503 [^]*no header$/);
    expect(app.connections()).toBe(0);
  });

  describe.each(PATHS)("an upgrade of %s", (path) => {
    it("gets a long answer in full, and ends", async () => {
      const chunks = Array.from({ length: 100 }, () => Buffer.alloc(50_000, "a"));
      const app = await startFaulty(express, (_req, res) => void Readable.from(chunks).pipe(res));
      expect((await (await askUpgrade(app, path)).rest()).length).toBeGreaterThan(5_000_000);
    });

    it.each(["ends its half", "resets the connection"])("whose client %s while it waits is over", async (how) => {
      let ended: Promise<unknown> = Promise.resolve();
      const requests = new EventEmitter();
      const app = await startFaulty(express, (req, res) => {
        ended = Promise.all(
          [req, res, req.socket].map((each) => new Promise((resolve) => each.once("close", resolve))),
        );
        requests.emit("held");
      });
      const held = once(requests, "held");
      const connection = await askUpgrade(app, path);
      await held;
      if (how === "ends its half") connection.end();
      else connection.reset();
      await ended;
    });

    it("that nobody answers, or that takes no answer, does not keep the server from closing", async () => {
      const requests = new EventEmitter();
      const app = await startFaulty(express, (req, res) => {
        requests.emit("held");
        if (req.query["big"] !== undefined) res.end(Buffer.alloc(50_000_000));
      });
      for (const query of ["", path.includes("?") ? "&big" : "?big"]) {
        const held = once(requests, "held");
        (await askUpgrade(app, path + query)).socket.pause();
        await held;
      }
      await app.io.shutdown({ timeoutMs: 100 });
      expect(app.server.listening).toBe(false);
    });
  });

  it("an upgrade that listeners leave to nobody does not keep the server from closing, one that they take does", async () => {
    const app = await startApp(express, (app, io) => app.use(io.middleware()));
    app.server.on("upgrade", (req, socket) => {
      if (req.url !== "/taken") return;
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      socket.pipe(socket);
    });
    const [left, taken] = [await askUpgrade(app, "/nobodys"), await askUpgrade(app, "/taken")];
    await taken.upgraded();
    const closed = app.io.shutdown({ timeoutMs: 100 });
    expect(await left.rest()).toBe("");
    expect(app.server.listening).toBe(false);
    taken.end();
    await closed;
  });

  it("a handshake that is still with its gate when the server closes is refused", async () => {
    const requests = new EventEmitter();
    const app = await startFaulty(express, (_req, _res, next) => void requests.emit("held", next), "gate");
    const held = once(requests, "held") as Promise<[NextFunction]>;
    const answer = fetch(app.url + enginePath("polling"));
    const [goOn] = await held;
    const over = app.io.shutdown();
    goOn();
    expect((await answer).status).toBe(503);
    await over;
    expect(app.connections()).toBe(0);
  });

  it("a middleware for handshakes alone that rejects is heard of by Express 5, and by nobody else", async () => {
    const { url } = await startApp(express, (app, io) => {
      const middleware = async (_req: Request, _res: Response, next: NextFunction): Promise<void> => {
        if (express.version === "5") throw new Error("down");
        next(new Error("down"));
      };
      app.use(io.handshakeOnly(middleware as never));
      app.use(io.middleware());
      app.use(
        (error: Error, _req: Request, res: Response, _next: NextFunction) => void res.status(503).send(error.message),
      );
    });
    const answer = await fetch(url + enginePath("polling"));
    expect([answer.status, await answer.text()]).toEqual([503, "down"]);
  });

  it.each(["polling", "websocket"] as const)(
    "who was let in over %s and has logged out since does not come into a namespace",
    async (transport) => {
      const app = await startShop(express, memoryOnly());
      const visitor = new Visitor(app.url);
      await visitor.post("/login");
      const { cookie = "" } = visitor.headers;
      const path = enginePath(transport);
      const ended = new Promise((resolve) => {
        app.io.engine.on("connection", (session: EventEmitter) => session.once("close", resolve));
      });
      if (transport === "polling") {
        const answer = await fetch(app.url + path, { headers: { cookie } });
        const { sid } = JSON.parse((await answer.text()).slice(1)) as { sid: string };
        await visitor.post("/logout");
        await fetch(`${app.url}${path}&sid=${sid}`, { method: "POST", body: "40" });
        // What ends the connection goes out with a poll.
        await fetch(`${app.url}${path}&sid=${sid}`);
      } else {
        const connection = await askUpgrade(app, path, cookie);
        expect(await connection.upgraded()).toBe(101);
        await visitor.post("/logout");
        connection.sendText("40");
      }
      await ended;
      expect(app.io.sockets.sockets.size).toBe(0);
    },
  );
});
