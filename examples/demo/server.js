// A chat with rooms: `npm start`, then open the page in two tabs. PORT chooses the port, 0 any free one.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Server } from "@plugboard/server";

const here = (name) => new URL(`./public/${name}`, import.meta.url);
const script = "text/javascript; charset=utf-8";

/** What is served besides the client, which the Socket.IO server adds: a path that is not in this table does not exist. */
const pages = new Map([
  ["/", { file: here("index.html"), type: "text/html; charset=utf-8" }],
  ["/style.css", { file: here("style.css"), type: "text/css; charset=utf-8" }],
  ["/app.js", { file: here("app.js"), type: script }],
]);

const httpServer = createServer((request, response) => {
  const page = pages.get(request.url.split("?")[0]);
  if (page === undefined || request.method !== "GET") return response.writeHead(404).end("Not Found");
  const policy = "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws:";
  response
    .writeHead(200, { "Content-Type": page.type, "Content-Security-Policy": policy })
    .end(readFileSync(page.file));
});

const io = new Server(httpServer, { maxHttpBufferSize: 5e6 });

/** Tells everyone in the room who is in it. */
async function announce(room) {
  const sockets = await io.in(room).fetchSockets();
  io.to(room).emit("presence", room, sockets.map((socket) => socket.data.name).sort());
}

io.on("connection", (socket) => {
  socket.on("join", async (room, name, ack) => {
    const { room: previous } = socket.data;
    if (previous !== undefined) await socket.leave(previous);
    socket.data = { room: `room:${String(room).slice(0, 40)}`, name: String(name).slice(0, 40) };
    await socket.join(socket.data.room);
    ack?.();
    if (previous !== undefined) await announce(previous);
    await announce(socket.data.room);
  });
  socket.on("chat", (text) => io.to(socket.data.room).emit("chat", socket.data.name, String(text).slice(0, 1000)));
  socket.on("image", (bytes, type) => {
    if (Buffer.isBuffer(bytes)) io.to(socket.data.room).emit("image", socket.data.name, bytes, String(type));
  });
  socket.on("probe", (ack) => ack?.());
  socket.on("disconnect", () => socket.data.room !== undefined && announce(socket.data.room));
});

const wanted = process.env.PORT ?? "3000";
httpServer.on("error", (error) => {
  const busy = error.code === "EADDRINUSE";
  console.error(busy ? `Port ${wanted} is in use: choose another one, as in PORT=3001 npm start` : error.message);
  process.exit(1);
});

if (!/^\d{1,5}$/.test(wanted) || Number(wanted) > 65_535) {
  console.error(`PORT is ${wanted}: it has to be a number from 0 to 65535`);
  process.exit(1);
}
httpServer.listen(Number(wanted), () => {
  const url = `http://localhost:${httpServer.address().port}`;
  console.log(`Open ${url} in two browser tabs. A third visitor, from Node:

  import { io } from "@plugboard/client";
  const socket = io("${url}").on("chat", (name, text) => console.log(name, "says", text));
  socket.emit("join", "lobby", "Node", () => socket.emit("chat", "hello"));
`);
});

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => io.close({ timeoutMs: 1000 }));
