// Limits for handshakes, for joining, for all events of a socket, and for one handler. `PORT=0 node rate-limits.js` listens on
// a free port.
import { createServer } from "node:http";
import { limitConnects, limitEvents, limitHandshakes, rateLimit } from "@plugboard/rate-limit";
import { Server } from "@plugboard/server";

const httpServer = createServer();
const io = new Server(httpServer);

// Before a session exists: HTTP 429 with Retry-After. Requests of connections that are open do not count.
limitHandshakes(io, { points: 20, duration: 10 });

// When a socket joins: `connect_error` with data { code: "SIO_RATE_LIMITED", retryAfterMs }.
io.use((socket, next) => {
  const { user } = socket.handshake.auth;
  if (typeof user === "string") socket.data.user = { id: user };
  next();
});
io.use(limitConnects({ points: 5, duration: 10, by: "user" }));

// All events of a socket, and fewer of one kind. Whoever waits for an answer gets { status: "error", code, message, data }.
limitEvents(io, { points: 100, duration: 1, events: { "chat:send": { points: 5, duration: 10 } } });

// One handler, counted by user on all his sockets.
const exporting = rateLimit({ points: 1, duration: 60, by: "user" });

io.on("connection", (socket) => {
  socket.on("chat:send", (text, ack) => {
    socket.broadcast.emit("chat:message", text);
    ack?.({ status: "ok" });
  });
  socket.handle("export", exporting, () => ({ status: "ok", rows: 3 }));
  socket.on("error", (error) => console.error(`${socket.id}: ${error.message}`));
});

httpServer.listen(process.env.PORT ?? 3000, () => {
  console.log(`Listening on http://localhost:${httpServer.address().port}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void io.close());
