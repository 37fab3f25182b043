// A shop with one session for requests and sockets: POST /login, POST /logout, POST /cart?item=tea, and the same cart
// over a socket. Nothing that one of them puts in is lost to another, and a logout ends the sockets of that visitor.
import { createServer } from "node:http";
import { Server } from "@plugboard/server";
import { fromExpressStore, perEvent, SocketSessions } from "@plugboard/session";
import session from "express-session";
import { serve } from "./serve.js";

const store = new session.MemoryStore(); // or one of connect-redis, connect-pg-simple, ...
const withSession = session({ store, secret: "keep me out of your source", resave: false, saveUninitialized: false });

const routes = {
  "POST /login": (request, response) => {
    // A new id, so that nobody who knew the old one is logged in too. Sockets that had the old one come back with the new.
    request.session.regenerate(() => {
      request.session.user = new URL(request.url, "http://shop").searchParams.get("user") ?? "somebody";
      response.end("hello\n");
    });
  },
  "POST /logout": (request, response) => request.session.destroy(() => response.end("bye\n")),
  "POST /cart": (request, response) => {
    (request.session.cart ??= []).push(new URL(request.url, "http://shop").searchParams.get("item"));
    response.end(`${request.session.cart.length}\n`);
  },
};

const io = new Server({ connectionStateRecovery: {} });
const sessions = new SocketSessions(io, { store: fromExpressStore(store) });
const httpSession = sessions.middleware(withSession);

const httpServer = createServer((request, response) => {
  if (request.url.startsWith("/socket.io/")) return; // not ours
  httpSession(request, response, (error) => {
    const route = routes[`${request.method} ${request.url.split("?")[0]}`];
    if (error || route === undefined) return response.writeHead(error?.status ?? 404).end();
    route(request, response);
  });
});

io.attach(httpServer);
io.engine.use(sessions.handshakeOnly(withSession));

io.use((socket, next) => next(socket.session.data.user ? undefined : new Error("log in first")));

io.on("connection", (socket) => {
  socket.session.on("changed", ({ cart }) => socket.emit("cart", cart));

  socket.handle("cart:add", async (item) => {
    const { cart } = await socket.session.update((draft) => {
      (draft.cart ??= []).push(item);
    });
    return { count: cart.length };
  });

  // The same with the session loaded before and saved after the handler.
  socket.handle(
    "cart:clear",
    perEvent((_nothing, context) => {
      const { draft } = context.socket.session;
      const count = draft.cart?.length ?? 0;
      draft.cart = [];
      return { removed: count };
    }),
  );
});

serve(httpServer, io);
