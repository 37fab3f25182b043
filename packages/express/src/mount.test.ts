import type { Server } from "@plugboard/server";
import { memoryAgent } from "@plugboard/testing";
import { once } from "node:events";
import express, { type Express, type Request } from "express";
import {
  createServer,
  get,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server as HttpServer,
} from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { socketio, type ExpressServer, type SocketioOptions } from "./index.js";
import { isHandshake } from "./mount.js";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const HANDSHAKE = "/socket.io/?EIO=4&transport=polling";
const open = new Set<Server>();
afterEach(async () => {
  for (const io of open) await io.close();
  open.clear();
});

/** An application in memory, and what asks it for something. */
function serve(setup: (app: Express, io: ExpressServer) => unknown, options: SocketioOptions = {}) {
  const app = express();
  const io = socketio(app, { maxHandshakesPerSecond: Infinity, ...options });
  open.add(io as unknown as Server);
  setup(app, io);
  const server = createServer(app);
  const agent = memoryAgent(server as never);
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = get({ path, headers: { host: "shop.example", ...headers }, agent }, (response) => {
        let body = "";
        response.on("data", (chunk) => (body += String(chunk)));
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      request.on("error", reject);
    });
  const handshake = async (headers?: Record<string, string>): Promise<Answer & { sid: string }> => {
    const answer = await ask(HANDSHAKE, headers);
    return { ...answer, sid: answer.status === 200 ? (JSON.parse(answer.body.slice(1)) as { sid: string }).sid : "" };
  };
  return { app, io, server, ask, handshake };
}

describe("isHandshake", () => {
  const of = (url: string, method = "GET"): boolean => isHandshake({ url, method } as IncomingMessage);

  it("is a GET without sid that asks for no file", () => {
    expect(of(HANDSHAKE)).toBe(true);
    expect(of(`${HANDSHAKE}&sid=`)).toBe(true);
    expect(of(`${HANDSHAKE}&sid=x`)).toBe(false);
    expect(of(`${HANDSHAKE}&notsid=x`)).toBe(true);
    expect(of(HANDSHAKE, "POST")).toBe(false);
    expect(of("/socket.io/socket.io.js")).toBe(false);
    expect(of("/socket.io/socket.io.msgpack.min.js?v=1")).toBe(false);
  });
});

describe("the fields of the chain", () => {
  it("go onto polls, but not those of one answer or one recipient", async () => {
    const { handshake, ask } = serve((app, io) => {
      app.use((_req, res, next) => {
        res.set({ "x-frame-options": "DENY", "content-security-policy": "default-src 'self'", "retry-after": "5" });
        res.set({ etag: '"1"', "ratelimit-remaining": "3", "x-ratelimit-limit": "4", "content-language": "en" });
        res.append("vary", ["Origin", "Accept"]).cookie("a", "b");
        next();
      });
      app.use(io.middleware());
    });
    const { sid, headers } = await handshake();
    expect(headers).toMatchObject({ "x-frame-options": "DENY", "set-cookie": ["a=b; Path=/"] });
    const poll = ask(`${HANDSHAKE}&sid=${sid}`);
    // Another poll ends the one before it.
    await ask(`${HANDSHAKE}&sid=${sid}`);
    const answer = await poll;
    expect(answer.headers).toMatchObject({
      "x-frame-options": "DENY",
      "content-security-policy": "default-src 'self'",
      vary: "Origin, Accept",
    });
    for (const name of ["set-cookie", "retry-after", "etag", "ratelimit-remaining", "x-ratelimit-limit"]) {
      expect(answer.headers[name]).toBe(undefined);
    }
    expect(answer.headers["content-language"]).toBe(undefined);
  });
});

describe("the origin of a page", () => {
  it("is ours when it is that of the request, or what a trusted proxy says of it", async () => {
    const direct = serve((app, io) => app.use(io.middleware()));
    expect((await direct.handshake({ origin: "http://shop.example" })).status).toBe(200);
    // Something in front may have taken the encryption off.
    expect((await direct.handshake({ origin: "https://shop.example" })).status).toBe(200);
    expect((await direct.handshake({ origin: "http://shop.example:81" })).status).toBe(403);
    expect((await direct.handshake({ origin: "http://evil.example" })).status).toBe(403);
    const forged = { "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" };
    for (const origin of ["https://evil.example", "http://evil.example"]) {
      expect((await direct.handshake({ origin, ...forged })).status).toBe(403);
    }

    const proxied = serve((app, io) => app.set("trust proxy", true).use(io.middleware()));
    const forwarded = { "x-forwarded-proto": "https", "x-forwarded-host": "front.example, inner.example" };
    expect((await proxied.handshake({ origin: "https://front.example", ...forwarded })).status).toBe(200);
    expect((await proxied.handshake({ origin: "http://front.example", ...forwarded })).status).toBe(403);
    expect((await proxied.handshake({ origin: "https://inner.example", ...forwarded })).status).toBe(403);
  });

  it("is allowed by fields for that origin with credentials, and by no other", async () => {
    const withFields = (fields: Record<string, string>) =>
      serve((app, io) => app.use((_req, res, next) => (res.set(fields), next()), io.middleware())).handshake({
        origin: "https://app.example",
      });
    const allowed = { "access-control-allow-origin": "https://app.example" };
    const credentials = { "access-control-allow-credentials": "true" };
    expect((await withFields({ ...allowed, ...credentials })).status).toBe(200);
    expect((await withFields(allowed)).status).toBe(403);
    expect((await withFields({ "access-control-allow-origin": "*", ...credentials })).status).toBe(403);
  });

  it("is allowed by the option cors too, which takes the place of what the chain says", async () => {
    const { handshake } = serve(
      (app, io) => {
        app.use((_req, res, next) => (res.set("access-control-allow-origin", "https://other.example"), next()));
        app.use(io.middleware());
      },
      { cors: { origin: "https://app.example", credentials: true } },
    );
    const answer = await handshake({ origin: "https://app.example" });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-credentials": "true",
    });
    expect((await handshake({ origin: "https://other.example" })).status).toBe(403);
  });

  it("is decided by the option checkOrigin when that is given", async () => {
    const { handshake } = serve((app, io) => app.use(io.middleware()), {
      checkOrigin: (origin) => origin === "https://app.example",
    });
    expect((await handshake({ origin: "https://app.example" })).status).toBe(200);
    expect((await handshake({ origin: "http://shop.example" })).status).toBe(403);
  });
});

describe("the gate", () => {
  it("decides about handshakes and about nothing else", async () => {
    const asked: string[] = [];
    const { ask, handshake } = serve((app, io) => {
      app.use(io.middleware({ gate: (req, _res, next) => (asked.push(req.url), next()) }));
      app.get("/other", (_req, res) => void res.send("other"));
    });
    expect((await ask("/other")).body).toBe("other");
    expect((await ask("/socket.io/socket.io.js")).status).toBe(200);
    const { sid } = await handshake();
    const poll = ask(`${HANDSHAKE}&sid=${sid}`);
    await ask(`${HANDSHAKE}&sid=${sid}`);
    await poll;
    expect((await ask(`${HANDSHAKE}&sid=unknown`)).status).toBe(400);
    expect(asked).toEqual([HANDSHAKE]);
  });

  it("is not passed by with a query that only looks like that of a poll, or of a file", async () => {
    const { ask, handshake } = serve((app, io) => {
      app.use(io.middleware({ gate: (req, res, next) => (req.get("ticket") ? next() : void res.sendStatus(401)) }));
    });
    const { sid } = await handshake({ ticket: "yes" });
    for (const query of [
      "&sid=x&sid=",
      "&a=b?sid=x",
      `&a=b?sid=${sid}`,
      `&sid=${sid}&%73id=`,
      "&sid=",
      "&x=/socket.io.js",
    ]) {
      expect({ query, status: (await ask(HANDSHAKE + query)).status }).toEqual({ query, status: 401 });
    }
    for (const file of ["socket.io.evil", "x/socket.io.js"]) {
      const path = HANDSHAKE.replace("?", `${file}?`);
      expect({ path, status: (await ask(path)).status }).toEqual({ path, status: 404 });
    }
  });

  it("that throws or rejects hands the error to the error handlers of the application", async () => {
    for (const gate of [
      () => Promise.reject(new Error("down")),
      () => {
        throw new Error("down");
      },
    ]) {
      const { handshake } = serve((app, io) => {
        app.use(io.middleware({ gate }));
        app.use((error: Error, _req: Request, res: express.Response, _next: express.NextFunction) => {
          res.status(503).send(error.message);
        });
      });
      expect(await handshake()).toMatchObject({ status: 503, body: "down" });
    }
  });
});

describe("the application", () => {
  it("answers what belongs to others, and sees requests with an unknown sid", async () => {
    const seen: string[] = [];
    const { ask } = serve((app, io) => {
      app.use((req, _res, next) => (seen.push(req.path), next()));
      app.use(io.middleware());
    });
    expect((await ask("/socket.io")).status).toBe(404);
    expect((await ask("/elsewhere")).status).toBe(404);
    expect((await ask(`${HANDSHAKE}&sid=unknown`)).status).toBe(400);
    expect((await ask(`${HANDSHAKE}&sid=__proto__`)).status).toBe(400);
    expect(seen).toEqual(["/socket.io", "/elsewhere", "/socket.io/", "/socket.io/"]);
  });

  it("gets the server from listen, and gives it back as before", async () => {
    const app = express();
    const io = socketio(app);
    const server: HttpServer = await new Promise((resolve) => {
      const opened = app.listen(0, "127.0.0.1", () => resolve(opened));
    });
    expect(server.listening).toBe(true);
    expect(io.httpServer).toBe(server);
    expect(server.listenerCount("upgrade")).toBe(1);
    await io.shutdown();
    expect(server.listening).toBe(false);
    expect(server.listenerCount("upgrade")).toBe(0);
  });

  it("forgets servers that came unannounced and have closed, as supertest makes one for each request", async () => {
    const { app, io } = serve((app, io) => app.use(io.middleware()));
    const server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect((await fetch(`http://127.0.0.1:${port}${HANDSHAKE}`)).status).toBe(200);
    expect(server.listenerCount("upgrade")).toBe(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(server.listenerCount("upgrade")).toBe(0);
    // Not that a server was not running.
    expect(await new Promise((resolve) => void io.close(resolve))).toBe(undefined);
  });

  it("answers handshakes with 503 when the server is over, and goes on with the rest", async () => {
    const { io, ask } = serve((app, io) => {
      app.use(io.middleware());
      app.get("/other", (_req, res) => void res.send("other"));
    });
    await io.shutdown();
    expect((await ask(HANDSHAKE)).status).toBe(503);
    expect((await ask("/other")).body).toBe("other");
  });
});
