// A login cookie lets sockets in: who has none gets 401, a page of another origin 403, over polling and websocket alike.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "@plugboard/server";
import { serve } from "./serve.js";

/** Who is logged in, by the value of the cookie. */
const users = new Map();

const loginOf = (req) => /(?:^|; )login=([^;]+)/.exec(req.headers.cookie ?? "")?.[1];

const page = `<!doctype html><title>Handshake</title>
<form method="post" action="/login"><button>Log in as Ada</button></form>
<form method="post" action="/logout"><button>Log out</button></form><output></output>
<script src="/socket.io/socket.io.min.js"></script><script>
  const socket = io();
  const show = (text) => (document.querySelector("output").textContent = text);
  socket.on("connect", async () => show("Hello, " + (await socket.emitWithAck("whoami"))));
  socket.on("connect_error", (error) => show(error.description === 401 ? "Log in first" : error.message));
</script>`;

const httpServer = createServer((req, res) => {
  if (req.method === "POST" && req.url === "/login") {
    const login = randomUUID();
    users.set(login, "Ada");
    res.setHeader("Set-Cookie", `login=${login}; HttpOnly; SameSite=Lax; Path=/`);
    return res.writeHead(303, { Location: "/" }).end();
  }
  if (req.method === "POST" && req.url === "/logout") {
    const login = loginOf(req);
    users.delete(login);
    // The sockets of this login lose their connection; when they come back, they are asked who they are.
    if (login !== undefined) io.endSockets(`login:${login}`, "rehandshake", "logged out");
    return res.writeHead(303, { Location: "/" }).end();
  }
  if (req.url !== "/") return res.writeHead(404).end("Not Found");
  res.setHeader("Content-Type", "text/html; charset=utf-8").end(page);
});

const io = new Server(httpServer, { checkOrigin: true });

io.engine.use((req, res, next) => {
  const isHandshake = req._query.sid === undefined;
  if (!isHandshake || users.has(loginOf(req))) return next();
  res.writeHead(401, { "Content-Type": "application/json" }).end('{"message":"Log in first"}');
});

io.on("connection", (socket) => {
  const login = loginOf(socket.request);
  socket.join(`login:${login}`);
  socket.on("whoami", (ack) => ack(users.get(login)));
});

serve(httpServer, io);
