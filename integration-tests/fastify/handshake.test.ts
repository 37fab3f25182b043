import type { FastifyRequest } from "fastify";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { attachPublished } from "./anchor.js";
import { listen, startApp } from "./start-app.js";

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

  it("is none less for a query that only looks like that of a poll, or of a file", async () => {
    const { url } = await startApp(
      {},
      {
        before: (app) => {
          app.addHook("onRequest", async (request, reply) => {
            if (request.ioHandshake && request.headers["ticket"] === undefined) await reply.code(401).send();
          });
        },
      },
    );
    const path = "/socket.io/?EIO=4&transport=polling";
    const handshake = await (await fetch(url + path, { headers: { ticket: "yes" } })).text();
    const { sid } = JSON.parse(handshake.slice(1)) as { sid: string };
    for (const query of ["&sid=x&sid=", "&a=b?sid=x", `&a=b?sid=${sid}`, `&sid=${sid}&%73id=`, "&sid="]) {
      expect({ query, status: (await fetch(url + path + query)).status }).toEqual({ query, status: 401 });
    }
    expect((await fetch(url + path.replace("?", "socket.io.evil?"))).status).toBe(404);
  });

  it.each(["all", "handshake"] as const)("runs hooks for requests as the option hooks: %j says", async (hooks) => {
    const seen = { handshakes: 0, others: 0, upgrades: 0 };
    const { url } = await startApp(
      { hooks },
      {
        before: (app) => {
          app.addHook("onRequest", async (request) => {
            if (request.ioHandshake) seen.handshakes++;
            else if (request.headers.upgrade !== undefined) seen.upgrades++;
            else seen.others++;
          });
        },
        after: (app) => void app.io.event("double", (n: number) => 2 * n),
      },
    );
    const socket = await client.connect(url, { transports: ["polling"] });
    for (let n = 0; n < 3; n++) expect(await socket.emitWithAck("double", n)).toBe(2 * n);
    expect(seen.handshakes).toBe(1);
    if (hooks === "all") expect(seen.others).toBeGreaterThanOrEqual(3);
    else expect(seen.others).toBe(0);
    const upgrading = await client.connect(url, { transports: ["polling", "websocket"] });
    if (upgrading.io.engine.transport.name !== "websocket") await nextEvent(upgrading.io.engine, "upgrade");
    expect(seen.handshakes).toBe(2);
    expect(seen.upgrades).toBe(hooks === "all" ? 1 : 0);
  });

  it("runs middlewares of io.engine too, behind the hooks", async () => {
    const { url } = await startApp(
      {},
      {
        after: (app) => {
          app.io.engine.use((_req: unknown, res: { writeHead(status: number): { end(text: string): void } }) => {
            res.writeHead(418).end("a teapot");
          });
        },
      },
    );
    const [polling] = await nextEvent<[Refusal]>(client.open(url, { transports: ["polling"] }), "connect_error");
    expect(polling.description).toBe(418);
    const [websocket] = await nextEvent<[Refusal]>(client.open(url), "connect_error");
    expect((websocket.description as Error).message).toContain("418");
  });

  it.each(transports)(
    "is refused by middlewares of io.engine that fail, with nothing too, over %s",
    async (transport) => {
      const { url, app } = await startApp();
      app.io.engine.use(() => Promise.reject());
      const [{ description }] = await nextEvent<[Refusal]>(
        client.open(url, { transports: [transport] }),
        "connect_error",
      );
      if (transport === "polling") expect(description).toBe(500);
      else expect((description as Error).message).toBe("Unexpected server response: 400");
    },
  );

  it("is decided by preConnect of a namespace with data, which every host gets to see", async () => {
    const { url } = await startApp(
      {},
      {
        after: (app) => {
          const preConnect = (): never => {
            throw Object.assign(new Error("no tickets"), { statusCode: 402 });
          };
          app.ioNamespace("/show", { preConnect }, () => {});
        },
      },
    );
    const [error] = await nextEvent<[Error & { data: unknown }]>(client.open(`${url}/show`), "connect_error");
    expect(error.message).toBe("no tickets");
    expect(error.data).toEqual({ statusCode: 402 });
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

describe("the published server attached to the HTTP server", () => {
  it.each(transports)("lets clients in over %s past hooks that refuse all", async (transport) => {
    const { app } = await attachPublished();
    let hooks = 0;
    app.addHook("onRequest", async (_request, reply) => {
      hooks++;
      return reply.code(401).send("no");
    });
    const { url } = await listen(app);
    await bothClients[0]!.connect(url, { transports: [transport] });
    expect(hooks).toBe(0);
  });
});
