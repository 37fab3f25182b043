import { limitConnects, limitHandshakes, socketio } from "@plugboard/express";
import type { Request } from "express";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { expressVersions } from "./peers.js";
import { startApp } from "./start-app.js";

describe.each(expressVersions)("Express $version", (express) => {
  describe.each(bothClients)("with $name", (client) => {
    it("routes emit by res.emitTo, to one room or several, as a link of a chain", async () => {
      const { url, io } = await startApp(express, (app, io) => {
        app.use(io.middleware());
        app.post("/one", (_req, res) => void res.status(201).emitTo("a", "news", 1, { two: 2 }).json({ sent: true }));
        app.post("/both", (_req, res) => void res.emitTo(["a", "b"], "news", "both").sendStatus(204));
      });
      io.on("connection", (socket) => socket.handle("enter", (room: string) => socket.join(room)));
      const [ada, bob] = await Promise.all([client.connect(url), client.connect(url)]);
      await Promise.all([ada.emitWithAck("enter", "a"), bob.emitWithAck("enter", "b")]);
      const toBob = nextEvent(bob, "news");
      const toAda = nextEvent(ada, "news");
      const answer = await fetch(`${url}/one`, { method: "POST" });
      expect([answer.status, await answer.json()]).toEqual([201, { sent: true }]);
      expect(await toAda).toEqual([1, { two: 2 }]);
      const again = nextEvent(ada, "news");
      expect((await fetch(`${url}/both`, { method: "POST" })).status).toBe(204);
      expect(await again).toEqual(["both"]);
      expect(await toBob).toEqual(["both"]);
    });

    it("io.user finds users by what userIdOf says, and nobody by what it does not", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()), {
        userIdOf: (request) => (request as Request).get("x-account"),
      });
      const ada = await client.connect(url, { extraHeaders: { "x-account": "7" } });
      const nobody = await client.connect(url);
      const heard: unknown[] = [];
      nobody.on("hello", () => heard.push("nobody"));
      const hello = nextEvent(ada, "hello");
      io.user("7").emit("hello");
      await hello;
      const last = nextEvent(nobody, "last");
      io.emit("last");
      await last;
      expect(heard).toEqual([]);
    });

    it("limitHandshakes answers with 429, by the address that trust proxy tells", async () => {
      const { url, io } = await startApp(express, (app, io) => {
        app.set("trust proxy", true);
        app.use(io.middleware());
      });
      limitHandshakes(io, { points: 1, duration: 60, by: (request) => String((request as Request).ip) });
      const from = (address: string): object => ({ extraHeaders: { "x-forwarded-for": address } });
      await client.connect(url, from("203.0.113.1"));
      await client.connect(url, from("203.0.113.2"));
      const options = { transports: ["polling"], ...from("203.0.113.1") };
      const [error] = await nextEvent<[{ description?: unknown }]>(client.open(url, options), "connect_error");
      expect(error.description).toBe(429);
    });

    it("limitConnects refuses by connect_error, and may count by the user of the request", async () => {
      const { url, io } = await startApp(express, (app, io) => {
        app.use((req, _res, next) => {
          Object.assign(req, { user: { id: req.get("x-account") } });
          next();
        });
        app.use(io.middleware());
      });
      const by = (socket: { request: unknown }): string => (socket.request as { user: { id: string } }).user.id;
      io.use(limitConnects({ points: 1, duration: 60, by }));
      const as = (id: string): object => ({ extraHeaders: { "x-account": id } });
      await client.connect(url, as("1"));
      await client.connect(url, as("2"));
      const [error] = await nextEvent<[{ data?: unknown }]>(client.open(url, as("1")), "connect_error");
      expect(error.data).toMatchObject({ code: "SIO_RATE_LIMITED" });
    });

    it("an error hook that is async may call next before it resolves", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
      io.useError(async (error, _context, next) => {
        await new Promise((resolve) => setImmediate(resolve));
        next({ status: "error", code: "LATE", message: (error as Error).message });
      });
      io.on("connection", (socket) => {
        socket.handle("fail", () => {
          throw new Error("boom");
        });
      });
      const socket = await client.connect(url);
      expect(await socket.emitWithAck("fail")).toEqual({ status: "error", code: "LATE", message: "boom" });
    });
  });

  it("close tells its callback of a server that was not running, as the reference does, and nothing else", async () => {
    const idle = socketio((await express.load())()).attach(createServer());
    const error = await new Promise((resolve) => void idle.close(resolve));
    expect(error).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });

    const { io, server } = await startApp(express, (app, io) => app.use(io.middleware()));
    await bothClients[0]!.connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    expect(await new Promise((resolve) => void io.close(resolve))).toBe(undefined);
    expect(server.listening).toBe(false);
    expect(await new Promise((resolve) => void io.close(resolve))).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });
    await io.shutdown();
  });

  it("close with a callback does not wait for handlers, and close with options does", async () => {
    for (const options of [undefined, { timeoutMs: 60_000 }]) {
      const { io, url } = await startApp(express, (app, io) => app.use(io.middleware()));
      let finish: () => void = () => {};
      let isFinished = false;
      const begun = new Promise<void>((resolve) => {
        io.on("connection", (socket) => {
          socket.handle("slow", async () => {
            resolve();
            await new Promise<void>((done) => (finish = done));
            isFinished = true;
          });
        });
      });
      const socket = await bothClients[0]!.connect(url);
      socket.emit("slow");
      await begun;
      const closed = io.close(options as object);
      if (options !== undefined) finish();
      await closed;
      expect(isFinished).toBe(options !== undefined);
      finish();
    }
  });
});
