import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { exchange, listen, startEngine, upgradeRequest, type StartedEngine } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Engine, type EngineMiddleware } from "../index.js";

const WEBSOCKET = "/engine.io/?EIO=4&transport=websocket";

/** What a client gets for its upgrade, up to the end of the connection. */
async function answerOf(middleware: EngineMiddleware, started?: StartedEngine): Promise<string> {
  const { engine, origin } = started ?? (await startEngine());
  engine.use(middleware);
  return exchange(origin, upgradeRequest(WEBSOCKET));
}

describe("an upgrade that a middleware answers by itself", () => {
  it("gets status, header fields and body, and its connection ends", async () => {
    const answer = await answerOf((_req, res) => {
      res.statusCode = 401;
      res.setHeader("WWW-Authenticate", "Bearer");
      res.setHeader("Set-Cookie", ["a=1", "b=2"]);
      res.end("wer da? ä");
    });
    expect(answer).toBe(
      "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nwww-authenticate: Bearer\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n" +
        `Content-Length: 10\r\n\r\n${Buffer.from("wer da? ä").toString("latin1")}`,
    );
  });

  it("gets what was given to writeHead, and to write before the end", async () => {
    const answer = await answerOf((_req, res) => {
      res.writeHead(503, "with a reason", { "Retry-After": 5, "Content-Length": 999, Connection: "keep-alive" });
      res.write("come ");
      res.write(Buffer.from("back "));
      res.write("bGF0ZXI=", "base64");
      res.end();
    });
    expect(answer).toBe(
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nretry-after: 5\r\nContent-Length: 15\r\n\r\ncome back later",
    );
  });

  it("gets it whole when it is long", async () => {
    const body = "x".repeat(1_000_000);
    const answer = await answerOf((_req, res) => void res.writeHead(403).end(body));
    expect(answer.endsWith(`\r\n\r\n${body}`)).toBe(true);
  });

  it("gets no body with 204, and 500 for a status that is none", async () => {
    expect(await answerOf((_req, res) => void res.writeHead(204).end("none"))).toBe(
      "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    );
    for (const status of [101, 0, 1000, 200.5, Number.NaN]) {
      expect(await answerOf((_req, res) => void res.writeHead(status).end())).toMatch(/^HTTP\/1.1 500 /);
    }
  });

  it("is not decided on as well when the middleware goes on to call next", async () => {
    let isAsked = false;
    const started = await startEngine({ allowRequest: () => (isAsked = true) });
    const answer = await answerOf((_req, res, next) => {
      res.writeHead(404).end();
      next();
    }, started);
    expect(answer).toMatch(/^HTTP\/1.1 404 Not Found\r\n[^]*Content-Length: 0\r\n\r\n$/);
    expect(isAsked).toBe(false);
  });

  it("tells the middleware that the answer has been given and when the connection is closed", async () => {
    const log: unknown[] = [];
    const closed = answerOf((_req, res) => {
      res.on("finish", () => log.push("finish"));
      res.on("close", () => log.push("close"));
      log.push(res.headersSent, res.writableEnded);
      res.statusCode = 401;
      res.end("no", () => log.push("called back"));
      log.push(res.headersSent, res.writableEnded);
      res.end("again");
    });
    expect(await closed).toMatch(/\r\n\r\nno$/);
    expect(log.filter((entry) => entry !== "close")).toEqual([false, false, "finish", true, true, "called back"]);
  });

  it("is cut when what a middleware has put around writeHead fails", async () => {
    const started = await startEngine({ onListenerError() {} });
    const answer = await answerOf((_req, res) => {
      res.writeHead = () => {
        throw new Error("no cookie can be made");
      };
      res.end("no");
    }, started);
    expect(answer).toBe("");
  });

  it("does not stay open when the client neither reads nor ends its half", async () => {
    const { engine, server, origin } = await startEngine();
    engine.use((_req, res) => void res.writeHead(403).end("x".repeat(50_000_000)));
    const opened = once(server, "connection") as Promise<[Socket]>;
    const client = connect({ port: Number(new URL(origin).port), host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.on("error", () => {}).write(upgradeRequest(WEBSOCKET));
    const [socket] = await opened;
    client.pause();
    await once(socket, "close");
    expect(socket.destroyed).toBe(true);
  });
});

describe("an error that a middleware gives to next", () => {
  const failWith =
    (error: unknown): EngineMiddleware =>
    (_req, res, next) => {
      res.setHeader("x-by", "middleware");
      next(error);
    };
  const withStatus = (fields: object): Error => Object.assign(new Error("the words"), fields);

  it.each([
    ["a status of 4xx", { status: 401 }, 401, "the words"],
    ["a statusCode", { statusCode: 429 }, 429, "the words"],
    ["a status that is not to be explained", { status: 403, expose: false }, 403, "Forbidden"],
    ["a status of 5xx", { status: 503 }, 503, "Service Unavailable"],
    ["a status of 5xx that is to be explained", { status: 503, expose: true }, 503, "the words"],
    ["a status that refuses nothing", { status: 200 }, 400, "Bad request"],
    ["a status that is no number", { status: "401" }, 400, "Bad request"],
    ["no status", {}, 400, "Bad request"],
  ])("with %s is answered in the same way on both transports", async (_what, fields, status, message) => {
    const { engine, origin, url } = await startEngine();
    const error = withStatus(fields);
    engine.use(failWith(error));
    const reported: unknown[] = [];
    engine.on("connection_error", (event: unknown) => reported.push(event));
    const polled = await fetch(`${url}?EIO=4&transport=polling`);
    expect(polled.status).toBe(status);
    expect(polled.headers.get("x-by")).toBe("middleware");
    expect(await polled.json()).toEqual({ code: 3, message });
    const answer = await exchange(origin, upgradeRequest(WEBSOCKET));
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\nx-by: middleware\r\n[^]*\r\n\r\n${message}$`));
    const event = { code: 3, message: "Bad request", context: { name: "MIDDLEWARE_FAILURE", error } };
    expect(reported).toMatchObject([event, event]);
  });

  it.each(["a text", 42, null])("refuses with 400 when it is %j", async (error) => {
    const { engine, origin } = await startEngine();
    engine.use(() => {
      throw error;
    });
    expect(await exchange(origin, upgradeRequest(WEBSOCKET))).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe("an upgrade that a framework refuses", () => {
  async function serve(refuse: (engine: Engine, socket: Socket) => void): Promise<string> {
    const server = createServer();
    const engine = new Engine();
    onTestFinished(() => void engine.close());
    server.on("upgrade", (_req, socket) => refuse(engine, socket as Socket));
    return listen(server);
  }

  it("is answered on its raw socket, which ends", async () => {
    const origin = await serve((engine, socket) =>
      engine.refuseUpgrade(socket, { status: 404, headers: { "X-One": ["1", "2"] }, body: "not here" }),
    );
    expect(await exchange(origin, upgradeRequest(WEBSOCKET))).toBe(
      "HTTP/1.1 404 Not Found\r\nConnection: close\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 8\r\n\r\nnot here",
    );
  });

  it("is cut when a header field would end its line", async () => {
    const thrown: unknown[] = [];
    const origin = await serve((engine, socket) => {
      try {
        engine.refuseUpgrade(socket, { status: 401, headers: { "x-one": "1\r\nx-two: 2" } });
      } catch (error) {
        thrown.push(error);
      }
    });
    expect(await exchange(origin, upgradeRequest(WEBSOCKET))).toBe("");
    expect(thrown).toMatchObject([{ name: "TypeError" }]);
  });

  it("survives a client that has gone", async () => {
    const refused: boolean[] = [];
    const origin = await serve((engine, socket) => {
      socket.destroy();
      engine.refuseUpgrade(socket, { status: 401 });
      refused.push(socket.destroyed);
    });
    expect(await exchange(origin, upgradeRequest(WEBSOCKET))).toBe("");
    expect(refused).toEqual([true]);
  });
});
