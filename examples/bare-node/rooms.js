// Rooms by permission: clients ask, a check decides.
import { createServer } from "node:http";
import { Server } from "@plugboard/server";
import { serve } from "./serve.js";

/** Who may see which order. */
const owners = new Map([
  ["1", "ada"],
  ["2", "bob"],
]);

const httpServer = createServer();
const io = new Server(httpServer);

io.use((socket, next) => {
  socket.data.user = socket.handshake.auth.user; // stands for a real login
  next();
});

io.authorize("orders/:id", (socket, { id }) => owners.get(id) === socket.data.user);
io.authorize("news/:language", async () => true);

// A client: await socket.emitWithAck("room:join", "orders/1")
io.handle("order:ship", (id) => {
  io.to(`orders/${id}`).emit("order:shipped", id);
});

serve(httpServer, io);
