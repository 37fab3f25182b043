// A board of things to do, for people who have logged in. Listens on the port of PORT (default: 3000).
//
//   curl -i -X POST localhost:3000/login -H "content-type: application/json" -d '{ "name": "Ada" }'
//
// gives a cookie; with it a Socket.IO client may connect. `POST /logout` ends the session, and the sockets follow.
import cookie from "@fastify/cookie";
import session from "@fastify/session";
import socketio from "@plugboard/fastify";
import Fastify from "fastify";
import { randomBytes } from "node:crypto";
import { Type } from "typebox";

const app = Fastify({ logger: process.env.LOG === "1" });
await app.register(cookie);
await app.register(session, {
  secret: process.env.SECRET ?? randomBytes(32).toString("hex"),
  saveUninitialized: false,
  cookie: { secure: "auto" },
});
await app.register(socketio, {
  routeOptions: {
    preHandler: async (request, reply) => {
      if (!request.session.get("user")) return reply.code(401).send({ error: "login first" });
    },
  },
});

const todos = [];

app.io.on("connection", (socket) => {
  socket.join("board");
  socket.emit("todos", todos);
});

app.io.event(
  "todo:add",
  {
    schema: {
      payload: Type.Object({ text: Type.String({ minLength: 1, maxLength: 200 }) }),
      ack: Type.Object({ id: Type.Number() }),
    },
  },
  async ({ text }, { socket }) => {
    const todo = { id: todos.length + 1, text, by: socket.request.session.get("user") };
    todos.push(todo);
    socket.to("board").emit("todo:added", todo);
    // How many they have added goes into their session, and no update of it is lost.
    await socket.session.update((data) => {
      data.added = (data.added ?? 0) + 1;
    });
    return { id: todo.id };
  },
);

app.post(
  "/login",
  { schema: { body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 50 }) }) } },
  async (request) => {
    await request.session.regenerate();
    request.session.set("user", request.body.name);
    return { ok: true };
  },
);

app.get("/me", async (request) => ({ user: request.session.get("user"), added: request.session.get("added") ?? 0 }));

// Sockets of the session re-handshake, and are refused.
app.post("/logout", async (request) => {
  await request.session.destroy();
  return { ok: true };
});

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => app.close());
await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
console.log(`Listening on http://127.0.0.1:${app.server.address().port}`);
