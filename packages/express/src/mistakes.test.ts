import type { Server } from "@plugboard/server";
import { memoryAgent } from "@plugboard/testing";
import express, { type Express, type RequestHandler } from "express";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import {
  EventRouter,
  jwtAuth,
  limitEvents,
  socketio,
  validate,
  type ExpressServer,
  type SocketioOptions,
} from "./index.js";

const HANDSHAKE = "/socket.io/?EIO=4&transport=polling";
const open = new Set<Server>();
let emitWarning: MockInstance<typeof process.emitWarning>;
beforeEach(() => {
  emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  for (const io of open) await io.close();
  open.clear();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const codes = (): unknown[] =>
  emitWarning.mock.calls.map(([, options]) => (options as unknown as { code: string }).code);

/** What answers requests with their status. */
function serve(setup: (app: Express, io: ExpressServer) => unknown, options: SocketioOptions = {}) {
  const app = express();
  app.set("env", "test");
  const io = socketio(app, options);
  open.add(io as unknown as Server);
  setup(app, io);
  const agent = memoryAgent(createServer(app) as never);
  return async (path = HANDSHAKE, headers: Record<string, string> = {}): Promise<number | undefined> => {
    const request = get({ path, headers: { host: "shop.example", ...headers }, agent });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    await once(response, "end");
    return response.statusCode;
  };
}

/** What a session middleware leaves on requests. */
const withStore: RequestHandler = (req, _res, next) => {
  const store = { get: () => {}, set: () => {}, destroy: () => {} };
  Object.assign(req, { sessionStore: store, session: {}, sessionID: "1" });
  next();
};

describe("an argument that cannot be meant is refused at once, with what was meant:", () => {
  const app = (): Express => express();
  const io = (): ExpressServer => {
    const made = socketio(app());
    open.add(made as unknown as Server);
    return made;
  };
  const twice = app();
  const expressMiddleware: RequestHandler = (_req, res) => void res.sendStatus(401);
  const wrong: Record<string, [(...args: never[]) => unknown, string]> = {
    "a router in place of the application": [() => socketio(express.Router() as never), "express()"],
    "an HTTP server in place of the options": [() => socketio(app(), createServer() as never), "{ server }"],
    "a misspelt option": [() => socketio(app(), { runon: "all" } as never), '"runOn"'],
    "a misspelt option of the server": [() => socketio(app(), { pingIntervall: 1 } as never), '"pingInterval"'],
    "an application as the server": [() => socketio(app(), { server: app() as never }), "createServer(app)"],
    "a session middleware as the option": [() => socketio(app(), { session: expressMiddleware as never }), "app.use"],
    "a store that is none": [() => socketio(app(), { session: { store: {} as never } }), "express-session"],
    "takesTurn that is no function": [() => socketio(app(), { session: { takesTurn: true as never } }), "takesTurn"],
    "an unknown onEnd": [() => socketio(app(), { session: { onEnd: "close" as never } }), "rehandshake"],
    "a passport that is none": [() => socketio(app(), { passport: {} as never }), "passport"],
    "userIdOf that is no function": [() => socketio(app(), { userIdOf: "id" as never }), "request.user?.id"],
    "an application that has a server": [() => [socketio(twice), socketio(twice)], "req.io"],
    "a gate in place of the options": [() => io().middleware(expressMiddleware as never), "{ gate"],
    "a gate that is none": [() => io().middleware({ gate: "user" as never }), "gate"],
    "a misspelt gate": [() => io().middleware({ guard: expressMiddleware } as never), "gate"],
    "an unknown refuseBy": [() => io().middleware({ refuseBy: "error" as never }), "connect_error"],
    "handshakeOnly of nothing": [() => io().handshakeOnly(undefined as never), "(req, res, next)"],
    "a port to attach to": [() => io().attach(3000 as never), "app.listen"],
    "a server to attach to that comes too late": [
      async () => {
        const closed = io();
        await closed.close();
        closed.attach(createServer());
      },
      "another application",
    ],
    "a middleware of Express for sockets": [() => io().use(((_q: 0, _r: 0, _n: 0) => {}) as never), "app.use"],
    "jwtAuth that was not called": [() => io().use(jwtAuth as never), "jwtAuth({ verify })"],
    "a middleware for a namespace by its name": [() => io().use("/chat", (() => {}) as never), "io.of(name).use"],
    "jwtAuth for one namespace": [
      () => io().use("/chat", jwtAuth({ verify: () => undefined }) as never),
      "without a name",
    ],
    "no hook for errors": [() => io().useError(undefined as never), "(error, context, next)"],
    "what is no schema": [() => validate({ parse() {} } as never), "Standard Schema"],
    "no handler": [() => EventRouter().on("add", validate as never, {} as never), "handler last"],
    "a schema in place of the handler": [
      () => EventRouter().on("add", Object.assign(() => {}, { "~standard": { validate() {} } }) as never),
      "handler last",
    ],
    "a step that is none": [() => EventRouter().use({} as never), "Standard Schema"],
    "jwtAuth without verify": [() => jwtAuth({ secret: "x" } as never), "verify"],
    "getToken that is no function": [() => jwtAuth({ verify: () => undefined, getToken: "x" as never }), "getToken"],
    "options in place of the namespace": [() => io().inject({ agent: {} } as never), 'io.inject("/", { agent })'],
    "an agent that is none": [() => io().inject("/", { agent: "x" as never }), "supertest"],
    "a time that is none": [() => io().shutdown({ timeoutMs: "5s" as never }), "milliseconds"],
  };

  it.each(Object.entries(wrong))("%s", async (_name, [act, fix]) => {
    const failure: unknown = await (async () => act())().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ name: "ExpressError", code: "SIO_EXPRESS_INVALID_OPTION" });
    expect((failure as Error).message).toContain(fix);
  });

  it("jwtAuth a second time, and limits that cannot be kept", () => {
    const auth = jwtAuth({ verify: () => undefined });
    expect(() => io().use(auth).use(auth)).toThrow(expect.objectContaining({ code: "SIO_CREDENTIALS_TWICE" }));
    expect(() => limitEvents(io() as never, { points: 0, duration: 1 })).toThrow(
      expect.objectContaining({ code: "SIO_INVALID_LIMIT" }),
    );
  });

  it("io.middleware itself as the middleware", async () => {
    const errors: unknown[] = [];
    const ask = serve((app, io) => {
      app.use(io.middleware as never);
      app.use(((error, _req, res, _next) => {
        errors.push(error);
        res.sendStatus(500);
      }) as express.ErrorRequestHandler);
    });
    expect(await ask("/")).toBe(500);
    expect(errors).toMatchObject([{ code: "SIO_EXPRESS_INVALID_OPTION" }]);
  });
});

describe("what is mounted in the wrong place is warned about, once:", () => {
  it.each([404, 200])("a route that answers handshakes with %i before io.middleware()", async (status) => {
    const ask = serve((app, io) => app.use((_req, res) => void res.sendStatus(status), io.middleware()));
    expect([await ask(), await ask()]).toEqual([status, status]);
    expect(codes()).toEqual(["SIO_EXPRESS_NO_MIDDLEWARE"]);
  });

  it.each([401, 302])("but not a guard that answers with %i, nor a gate with 404", async (status) => {
    const ask = serve((app, io) => {
      app.use((req, res, next) => (req.headers.user === undefined ? res.sendStatus(status) : next()));
      app.use(io.middleware({ gate: (_req, res) => res.sendStatus(404) }));
    });
    expect([await ask(), await ask(HANDSHAKE, { user: "ada" })]).toEqual([status, 404]);
    expect(codes()).toEqual([]);
  });

  it("io.middleware() below a path that is not in the option path", async () => {
    const ask = serve((app, io) => app.use("/api", io.middleware()));
    expect(await ask(`/api${HANDSHAKE}`)).toBe(404);
    expect(codes()).toEqual(["SIO_EXPRESS_PATH"]);
    expect(emitWarning.mock.calls[0]![0]).toContain('path: "/api/socket.io"');
  });

  it("the session middleware behind io.middleware()", async () => {
    const ask = serve((app, io) => app.use(io.middleware(), withStore));
    expect(await ask()).toBe(200);
    expect(codes()).toEqual([]);
    await ask("/");
    expect(await ask()).toBe(200);
    expect(codes()).toEqual(["SIO_EXPRESS_SESSION_BEHIND"]);
  });

  it("but not one in its place", async () => {
    const ask = serve((app, io) => app.use(withStore, io.middleware()));
    await ask("/");
    expect(await ask()).toBe(200);
    expect(codes()).toEqual([]);
  });

  it("cors() that does not allow the cookies that sockets have", async () => {
    const ask = serve((app, io) => {
      app.use((_req, res, next) => next(void res.set("access-control-allow-origin", "*")), io.middleware());
    });
    expect(await ask(HANDSHAKE, { origin: "http://shop.example" })).toBe(200);
    expect(codes()).toEqual([]);
    expect(await ask(HANDSHAKE, { origin: "http://page.example" })).toBe(403);
    expect(codes()).toEqual(["SIO_EXPRESS_CORS"]);
  });

  it("cors() beside the option cors", async () => {
    const cors: RequestHandler = (_req, res, next) =>
      next(void res.set("access-control-allow-origin", "http://a.example"));
    const ask = serve((app, io) => app.use(cors, io.middleware()), { cors: { origin: "http://b.example" } });
    await ask();
    expect(codes()).toEqual(["SIO_EXPRESS_CORS_TWICE"]);
  });

  it("a gate that does not decide", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    let answer = (): void => {};
    const ask = serve((app, io) => {
      app.use(
        io.middleware({
          gate: (_req, res) => {
            answer = () => void res.sendStatus(401);
            arrived();
          },
        }),
      );
    });
    const asked = ask();
    await arrival;
    vi.advanceTimersByTime(9_999);
    expect(codes()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(codes()).toEqual(["SIO_EXPRESS_GATE_PENDING"]);
    answer();
    expect(await asked).toBe(401);
  });

  it("a server of one's own that has not been attached", async () => {
    const app = express();
    const io = socketio(app);
    open.add(io as unknown as Server);
    app.use(io.middleware());
    const server = createServer(app);
    const agent = memoryAgent(server as never);
    const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
    const dial = (): ReturnType<typeof get> =>
      get({
        path: "/socket.io/?EIO=4&transport=websocket",
        headers: { ...headers, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
        agent,
      });
    const [refused] = (await once(dial(), "response")) as [IncomingMessage];
    expect(refused.statusCode).toBe(400);
    refused.resume();
    expect(codes()).toEqual(["SIO_EXPRESS_NOT_ATTACHED"]);
    const [, socket] = (await once(dial(), "upgrade")) as [IncomingMessage, Duplex];
    socket.destroy();
  });
});

it("socket.session says why it can do nothing when the handshake had none", async () => {
  const app = express();
  const io = socketio(app);
  open.add(io as unknown as Server);
  app.use(io.middleware());
  const tried = new Promise((resolve) => {
    io.on("connection", ({ session }) => {
      const { id, exists, data } = session;
      session.on("ended", () => {});
      resolve(session.update(() => {}).catch((error: unknown) => [id, exists, data, error]));
    });
  });
  const client = await io.inject("/", { reconnection: false });
  expect(await tried).toMatchObject([undefined, false, {}, { code: "SIO_EXPRESS_NO_SESSION" }]);
  client.disconnect();
});

it("res.emitTo of no room at all tells nobody", async () => {
  const app = express();
  const io = socketio(app);
  open.add(io as unknown as Server);
  app.use(io.middleware());
  app.get("/", (_req, res) => void res.emitTo([], "secret").sendStatus(204));
  const client = await io.inject("/", { reconnection: false });
  const heard: unknown[] = [];
  client.onAny((event) => heard.push(event));
  const request = get({ path: "/", agent: memoryAgent(createServer(app) as never) });
  await once(request, "response");
  const last = new Promise((resolve) => client.once("last", resolve as never));
  io.emit("last");
  await last;
  expect(heard).toEqual(["last"]);
  client.disconnect();
});
