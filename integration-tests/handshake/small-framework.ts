import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import {
  BodyError,
  Engine,
  parseQuery,
  type EngineOptions,
  type HeaderFields,
  type HttpAnswer,
  type HttpRequestLike,
} from "@plugboard/engine";
import { Server } from "@plugboard/server";
import { onTestFinished } from "vitest";

/** What hooks get to see of a request, whatever it asks for. */
export interface Visit {
  readonly req: IncomingMessage;
  readonly isUpgrade: boolean;
  /** Fields for the answer, whichever that will be. */
  readonly fields: HeaderFields;
}

/** Runs before the route; throws to refuse. */
export type Hook = (visit: Visit) => unknown;

/** What a hook throws to refuse a request. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** How the framework writes the answer to a poll; whoever replaces it has to call `answer.done`. */
export type Reply = (res: ServerResponse, answer: HttpAnswer, fields: HeaderFields) => void;

export interface SmallFramework {
  readonly io: Server;
  readonly engine: Engine;
  readonly webServer: HttpServer;
  readonly url: string;
  readonly port: number;
  /** Run at handshakes, on both transports alike. */
  readonly hooks: Hook[];
  reply: Reply;
}

/** A request as the framework hands it on: a port of its own, made of nothing but what Node gives. */
class FrameworkRequest implements HttpRequestLike {
  readonly method: string;
  readonly url: string;
  readonly query: Record<string, string>;
  readonly raw: IncomingMessage;
  readonly remoteAddress: string | undefined;
  readonly #res: ServerResponse;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.method = req.method ?? "GET";
    this.url = req.url ?? "/";
    this.query = parseQuery(this.url);
    this.raw = Object.assign(req, { _query: this.query });
    this.remoteAddress = req.socket.remoteAddress;
    this.#res = res;
  }

  header(name: string): string | undefined {
    const value = this.raw.headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  }

  async readBody(maxBytes: number): Promise<Uint8Array> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of this.raw as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxBytes) break;
        chunks.push(chunk);
      }
    } catch {
      throw new BodyError("EIO_BODY_ABORTED");
    }
    if (length > maxBytes) throw new BodyError("EIO_BODY_TOO_LARGE");
    return Buffer.concat(chunks);
  }

  onAbort(listener: () => void): void {
    this.#res.once("close", () => !this.#res.writableEnded && listener());
  }

  abort(): void {
    this.raw.destroy();
  }
}

const writeReply: Reply = (res, answer, fields) => {
  res.writeHead(answer.status, { ...fields, ...answer.headers });
  res.once("close", () => answer.done(res.writableFinished ? undefined : new Error("the client has gone")));
  res.end(answer.body as string);
};

function refusalOf(error: unknown): { status: number; body: string } {
  return error instanceof HttpError
    ? { status: error.status, body: error.message }
    : { status: 500, body: "something went wrong" };
}

/**
 * Starts what a web framework does around an engine that is attached to nothing: it owns the `request` and `upgrade`
 * listeners, runs its hooks, answers polls with its own reply and hands upgrades on.
 */
export async function startFramework(options: EngineOptions = {}): Promise<SmallFramework> {
  const engine = new Engine({ path: "/socket.io", ...options } as EngineOptions);
  const io = new Server();
  io.bind(engine as never);
  const runHooks = async (visit: Visit): Promise<void> => {
    if (parseQuery(visit.req.url ?? "")["sid"] !== undefined) return;
    for (const hook of framework.hooks) await hook(visit);
  };
  const onRequest = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const fields: HeaderFields = { "x-framework": "small" };
    if (!engine.matches(req.url ?? "")) return void res.writeHead(404, fields).end("no such route");
    try {
      await runHooks({ req, isUpgrade: false, fields });
    } catch (error) {
      const { status, body } = refusalOf(error);
      return void res.writeHead(status, fields).end(body);
    }
    framework.reply(res, await engine.handle(new FrameworkRequest(req, res)), fields);
  };
  const onUpgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const fields: HeaderFields = { "x-framework": "small" };
    if (!engine.matches(req.url ?? "")) return;
    try {
      await runHooks({ req, isUpgrade: true, fields });
    } catch (error) {
      return engine.refuseUpgrade(socket, { headers: fields, ...refusalOf(error) });
    }
    engine.handleUpgrade(req, socket, head, { headers: fields });
  };
  const webServer = createServer((req, res) => void onRequest(req, res));
  webServer.on("upgrade", (req, socket: Duplex, head: Buffer) => {
    // A client may leave while hooks run.
    socket.on("error", () => socket.destroy());
    void onUpgrade(req, socket, head);
  });
  webServer.listen(0, "127.0.0.1");
  await once(webServer, "listening");
  onTestFinished(() => {
    engine.close();
    webServer.close();
    webServer.closeAllConnections();
  });
  const { port } = webServer.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const framework: SmallFramework = { io, engine, webServer, url, port, hooks: [], reply: writeReply };
  return framework;
}
