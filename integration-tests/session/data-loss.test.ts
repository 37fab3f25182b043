import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import session from "express-session";
import { Server as PublishedServer, type Socket as PublishedSocket } from "socket.io";
import { describe, expect, it, onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { whenWritable } from "../support/when-writable.js";
import { clientKinds, loggedIn, type ClientKind } from "./browser.js";
import { answer, expressSession, routes, startApp, type AppRequest, type Handler } from "./session-app.js";

const addToCart: Handler = (req, res) => {
  (req.session.cart ??= []).push("a book");
  answer(res, req.session.cart);
};

const cartRoutes = { "POST /cart": addToCart };

/** What programs do today: the session middleware for every request of the engine, `reload` and `save` by hand. */
async function startPlainRecipe(
  options: Partial<session.SessionOptions>,
): Promise<{ io: PublishedServer; url: string }> {
  const middleware = expressSession(new session.MemoryStore(), options);
  const http = createServer();
  const io = new PublishedServer(http);
  io.engine.use(middleware);
  const served: Readonly<Record<string, Handler>> = { ...routes, ...cartRoutes };
  http.on("request", (req: IncomingMessage, res: ServerResponse) => {
    if (req.url?.startsWith("/socket.io/")) return;
    middleware(req, res, () => void served[`${req.method} ${req.url}`]?.(req as AppRequest, res));
  });
  io.on("connection", (socket) => {
    const request = socket.request as AppRequest;
    socket.on("increment", (ack: (error?: unknown) => void) => {
      request.session.reload(() => {
        request.session.n = (request.session.n ?? 0) + 1;
        request.session.save(ack);
      });
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(async () => {
    await io.close();
    http.closeAllConnections();
  });
  return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

/** Puts something into the cart when a poll waits, which has loaded the session by then, and ends the poll. */
async function fillCartDuringPoll(
  server: { io: object & { emit(event: string): unknown }; url: string },
  client: ClientKind,
) {
  const browser = await loggedIn(server.url);
  const connected = nextEvent<[Pick<PublishedSocket, "conn">]>(server.io, "connection");
  const socket = await browser.connect(client);
  await whenWritable((await connected)[0].conn);
  expect(await browser.post("/cart")).toEqual(["a book"]);
  const heard = nextEvent(socket, "news");
  server.io.emit("news");
  // express-session holds the end of an answer back until it has saved.
  await heard;
  return browser.get("/data");
}

const stockOverPolling = clientKinds[0] as ClientKind;
const saving = [
  { resave: true, rolling: false },
  { resave: true, rolling: true },
];

describe.each(saving)(
  "what is put into the cart while a poll waits, with resave $resave and rolling $rolling",
  (options) => {
    it("is lost with the session middleware on every request of the published server", async () => {
      const lost = await fillCartDuringPoll(await startPlainRecipe(options), stockOverPolling);
      expect(lost).toEqual({ user: "ada", n: 0 });
    });

    it.each(clientKinds)("is kept here, with $name", async (client) => {
      const app = await startApp({ store: new session.MemoryStore(), session: options, routes: cartRoutes });
      const kept = await fillCartDuringPoll(app, client);
      expect(kept).toEqual({ user: "ada", n: 0, cart: ["a book"] });
    });
  },
);

describe("twenty increments from two sockets at once", () => {
  it("are lost for the most part with reload and save by hand on the published server", async () => {
    const { url } = await startPlainRecipe({});
    const browser = await loggedIn(url);
    const sockets = [await browser.connect(stockOverPolling), await browser.connect(stockOverPolling)];
    await Promise.all(Array.from({ length: 20 }, (_, i) => sockets[i % 2]?.emitWithAck("increment")));
    const { n } = (await browser.get("/data")) as { n: number };
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(20);
  });

  it.each(clientKinds)("are all counted here, with $name", async (client) => {
    const app = await startApp({ store: new session.MemoryStore() });
    app.io.on("connection", (socket) => {
      socket.handle("increment", () =>
        socket.session.update((data) => {
          data.n = (data.n ?? 0) + 1;
        }),
      );
    });
    const browser = await loggedIn(app.url);
    const sockets = [await browser.connect(client), await browser.connect(client)];
    await Promise.all(Array.from({ length: 20 }, (_, i) => sockets[i % 2]?.emitWithAck("increment")));
    expect(await browser.get("/data")).toMatchObject({ n: 20 });
  });
});

describe("requests that overlap with a change", () => {
  it("are lost by the published recipe: a request that only reads writes what it has read", async () => {
    const { url } = await startPlainRecipe({ resave: true });
    expect(await readDuringIncrement(url)).toMatchObject({ n: 0 });
  });

  it("do not write what they have only read, with resave", async () => {
    const { url } = await startApp({ store: new session.MemoryStore(), session: { resave: true }, routes: slowRoutes });
    expect(await readDuringIncrement(url)).toMatchObject({ n: 1 });
  });
});

let finishReading: (() => void) | undefined;
const slowRoutes: Readonly<Record<string, Handler>> = {
  "GET /slow": (_req, res) => {
    res.write(" ");
    finishReading = () => answer(res, "read");
  },
};
Object.assign(cartRoutes, slowRoutes);

/** A request that reads begins before an increment and ends after it. */
async function readDuringIncrement(url: string): Promise<unknown> {
  const browser = await loggedIn(url);
  const reading = await browser.fetch("GET", "/slow");
  await browser.post("/increment");
  finishReading?.();
  await reading.text();
  return browser.get("/data");
}
