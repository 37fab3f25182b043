import {
  EventRouter,
  jwtAuth,
  limitEvents,
  rateLimit,
  socketio,
  validate,
  type ExpressSocket,
} from "@plugboard/express";
import { closeTestClients } from "@plugboard/testing";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import session from "express-session";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { expressVersions, loadPeer } from "./peers.js";
import { startApp, urlOf } from "./start-app.js";
import { memoryOnly, startShop } from "./session-app.js";

interface Agent {
  post(path: string): Promise<{ status: number }>;
}

afterEach(closeTestClients);

describe.each(expressVersions)("Express $version", (express) => {
  describe.each(bothClients)("events of $name", (client) => {
    it("go to the routers mounted on their namespaces, behind steps of these", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
      const steps: string[] = [];
      const todos = EventRouter()
        .use(({ event }) => void steps.push(event))
        .on("todo:add", validate(z.object({ title: z.string() })), ({ title }) => ({ added: title }))
        .on("todo:once", rateLimit({ points: 1, duration: 60 }), () => "fine");
      io.use("/todos", todos).use(EventRouter().on("ping", () => "pong"));
      const main = await client.connect(url);
      expect(await main.emitWithAck("ping")).toBe("pong");
      const socket = await client.connect(`${url}/todos`);
      expect(await socket.emitWithAck("todo:add", { title: "tea" })).toEqual({ added: "tea" });
      expect(await socket.emitWithAck("todo:add", { title: 5 })).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
      expect(await socket.emitWithAck("todo:once")).toBe("fine");
      expect(await socket.emitWithAck("todo:once")).toMatchObject({ code: "SIO_RATE_LIMITED" });
      expect(steps).toEqual(["todo:add", "todo:add", "todo:once", "todo:once"]);
    });

    it("go to the routers of either build, whatever io was made with, and to handlers that these get later", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
      const other = createRequire(import.meta.url)("@plugboard/express") as Partial<
        typeof import("@plugboard/express")
      >;
      expect(other.EventRouter).not.toBe(EventRouter);
      const router = other.EventRouter!();
      io.use(router).use(other.jwtAuth!({ verify: (token) => (token === "good" ? { user: "ada" } : undefined) }));
      router.on("late", (_payload, { socket }) => (socket as ExpressSocket).credentials?.user);
      const [error] = await nextEvent<[Error]>(client.open(url), "connect_error");
      expect(error).toMatchObject({ data: { code: "SIO_UNAUTHORIZED" } });
      const socket = await client.connect(url, { auth: { token: "good" } });
      expect(await socket.emitWithAck("late")).toBe("ada");
    });

    it("that fail go through the error hooks, in the shape of Express", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
      const seen: string[] = [];
      io.useError((error, { event }, next) => {
        seen.push(`${event}: ${(error as Error).message}`);
        next();
      });
      io.useError((error, _context, next) =>
        next({ status: "error", code: "MAPPED", message: (error as Error).message }),
      );
      io.on("connection", (socket) => {
        socket.handle("fail", async () => {
          throw new Error("boom");
        });
      });
      const socket = await client.connect(url);
      expect(await socket.emitWithAck("fail")).toEqual({ status: "error", code: "MAPPED", message: "boom" });
      expect(seen).toEqual(["fail: boom"]);
    });

    it("beyond limitEvents are answered with SIO_RATE_LIMITED", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
      limitEvents(io, { points: 1, duration: 60 });
      io.on("connection", (socket) => {
        socket.on("error", () => {});
        socket.handle("ping", () => "pong");
      });
      const socket = await client.connect(url);
      expect(await socket.emitWithAck("ping")).toBe("pong");
      expect(await socket.emitWithAck("ping")).toMatchObject({ code: "SIO_RATE_LIMITED" });
    });

    it("come from who has a token, wherever getToken finds it, and is a user that can be spoken to", async () => {
      const { url, io } = await startApp(express, (app, io) => app.use(io.middleware()));
      io.use(
        jwtAuth({
          verify: (token) => (token === "good" ? { user: "ada" } : undefined),
          getToken: ({ auth }) => auth["key"] as string | undefined,
        }),
      );
      const [error] = await nextEvent<[Error & { data: unknown }]>(
        client.open(url, { auth: { key: "bad" } }),
        "connect_error",
      );
      expect(error.data).toMatchObject({ code: "SIO_UNAUTHORIZED" });
      const socket = await client.connect(url, { auth: { key: "good" } });
      const hello = nextEvent(socket, "hello");
      io.user("ada").emit("hello");
      await hello;
    });
  });

  it("inject has the cookies of an agent of supertest, without a port", async () => {
    const supertest = await loadPeer<{ agent(app: unknown): Agent }>("supertest");
    const { app, io } = await startShop(express, memoryOnly());
    const agent = supertest.agent(app);
    await expect(io.inject("/")).rejects.toMatchObject({ status: 401 });
    expect((await agent.post("/login")).status).toBe(200);
    const socket = await io.inject("/", { agent: agent as never });
    expect(await (socket as unknown as { emitWithAck(name: string): Promise<unknown> }).emitWithAck("who")).toBe("Ada");
  });

  it("inject works for an application that nothing serves", async () => {
    const app = (await express.load())();
    const io = socketio(app);
    app.use(session({ secret: "s", resave: false, saveUninitialized: false }), io.middleware());
    expect((await io.inject("/")).connected).toBe(true);
    await io.close();
  });

  it("shutdown awaits handlers, ends connections, and leaves a server that it did not open", async () => {
    const app = (await express.load())();
    const io = socketio(app);
    app.use(io.middleware());
    app.get("/alive", (_req, res) => void res.send("yes"));
    const server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    io.attach(server);
    const url = urlOf(server);
    let finish: (value: string) => void = () => {};
    const begun = new Promise<void>((resolve) => {
      io.on("connection", (socket) => {
        socket.handle("slow", () => (resolve(), new Promise<string>((done) => (finish = done))));
      });
    });
    const socket = await bothClients[0]!.connect(url);
    const answer = socket.emitWithAck("slow");
    await begun;
    const down = io.shutdown({ timeoutMs: 5000 });
    finish("done");
    expect(await answer).toBe("done");
    await down;
    expect(await (await fetch(`${url}/alive`)).text()).toBe("yes");
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(503);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("shutdown closes the server of app.listen, and http-terminator can end it too", async () => {
    const { createHttpTerminator } = await loadPeer<{
      createHttpTerminator(options: object): { terminate(): Promise<void> };
    }>("http-terminator");
    const { io, server, url } = await startApp(express, (app, io) => app.use(io.middleware()));
    await bothClients[0]!.connect(url);
    await io.shutdown();
    expect(server.listening).toBe(false);
    const second = await startApp(express, (app, io) => app.use(io.middleware()));
    const terminator = createHttpTerminator({ server: second.server, gracefulTerminationTimeout: 100 });
    const socket = await bothClients[0]!.connect(second.url);
    const lost = nextEvent(socket, "disconnect");
    await terminator.terminate();
    await lost;
  });
});
