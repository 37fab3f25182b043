import type { FastifyRequest } from "fastify";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { startApp } from "./start-app.js";

interface Refusal extends Error {
  readonly description?: number | { readonly message?: string };
  readonly context?: { readonly responseText?: string };
}

const transports = ["polling", "websocket"] as const;

describe.each(bothClients)("a handshake through Fastify, by $name", (client) => {
  describe.each(transports)("over %s", (transport) => {
    const options = { transports: [transport] };

    it("runs the hooks of the application, of the scope and of the route, in the order of Fastify", async () => {
      const seen: string[] = [];
      const { url } = await startApp(
        { routeOptions: { preHandler: async () => void seen.push("route") } },
        {
          before: (app) => {
            for (const name of ["onRequest", "preValidation", "preHandler"] as const) {
              app.addHook(name, async () => void seen.push(name));
            }
            app.addHook("preParsing", async () => void seen.push("preParsing"));
          },
        },
      );
      await client.connect(url, options);
      expect(seen).toEqual(["onRequest", "preParsing", "preValidation", "preHandler", "route"]);
    });

    it("is refused by a hook with a status and a body", async () => {
      const { url } = await startApp({
        routeOptions: { preHandler: async (_request, reply) => reply.code(401).send({ error: "login first" }) },
      });
      const error = (await nextEvent(client.open(url, options), "connect_error"))[0] as Refusal;
      if (transport === "polling") {
        expect(error.description).toBe(401);
      } else {
        expect((error.description as { message: string }).message).toBe("Unexpected server response: 401");
      }
    });

    it("has the request of Fastify as socket.request, decorated as hooks left it", async () => {
      const { url, app } = await startApp(
        {},
        {
          before: (app) => {
            app.decorateRequest("user", "");
            app.addHook("onRequest", async (request) => Object.assign(request, { user: "ada" }));
          },
        },
      );
      const connected = nextEvent(app.io as never, "connection");
      await client.connect(url, { ...options, query: { room: "5" } });
      const [socket] = (await connected) as [{ request: FastifyRequest & { user: string }; handshake: never }];
      expect(socket.request.user).toBe("ada");
      expect(socket.request.ip).toBe("127.0.0.1");
      expect((socket.request.query as { room: string }).room).toBe("5");
      expect(socket.handshake).toMatchObject({ address: "127.0.0.1", query: { room: "5", transport }, secure: false });
      expect((socket.handshake as { url: string }).url).toMatch(/^\/socket\.io\/\?/);
    });
  });

  it("changes from polling to websocket", async () => {
    const { url, app } = await startApp();
    const connected = nextEvent(app.io as never, "connection");
    const socket = await client.connect(url, { transports: ["polling", "websocket"] });
    const [{ conn }] = (await connected) as [{ conn: { once: never; transport: { name: string } } }];
    if (conn.transport.name !== "websocket") await nextEvent(conn as never, "upgrade");
    expect(conn.transport.name).toBe("websocket");
    app.io.emit("hello");
    await nextEvent(socket, "hello");
  });
});
