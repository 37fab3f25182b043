import Fastify, { type FastifyInstance } from "fastify";
import { Server } from "socket.io";
import { onTestFinished } from "vitest";

/** What `fastify-socket.io` does: the published server, attached to the HTTP server of the application. */
export async function attachPublished(app: FastifyInstance = Fastify()): Promise<{ app: FastifyInstance; io: Server }> {
  const io = new Server(app.server);
  app.decorate("publishedIo", io);
  app.addHook("preClose", async () => void io.local.disconnectSockets(true));
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await io.close();
  });
  return { app, io };
}
