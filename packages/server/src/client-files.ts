import {
  boundRestOfBody,
  corsMiddleware,
  preferredEncoding,
  RequestFront,
  runMiddlewareChain,
} from "@plugboard/engine/internal";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, deflate, gzip } from "node:zlib";
import type { ServerOptions } from "./options.js";

const SCRIPTS = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"];
/** Whatever else is asked for is nobody's file: no name from outside ever becomes a path. */
const CONTENT_TYPES: ReadonlyMap<string, string> = new Map(
  SCRIPTS.flatMap((script) => [
    [script, "application/javascript; charset=utf-8"],
    [`${script}.map`, "application/json; charset=utf-8"],
  ]),
);

/** In the order of our preference, for clients that have none. */
const ENCODERS = { br: promisify(brotliCompress), gzip: promisify(gzip), deflate: promisify(deflate) };
const ENCODINGS = Object.keys(ENCODERS) as Encoding[];

type Encoding = keyof typeof ENCODERS;

/**
 * Serves the bundles of the browser client under the path of a server (spec/server.md 3.12): four scripts and their
 * source maps, of the version of the server, so that `<script src="/socket.io/socket.io.js">` always fits.
 *
 * The build puts the files beside this package's own. They are read when they are first asked for and then kept, as are
 * their compressed forms; there are 32 in all.
 */
export class ClientFiles {
  readonly #prefix: string;
  readonly #front: RequestFront;
  readonly #folder: URL;
  readonly #middlewares: ReadonlyArray<ReturnType<typeof corsMiddleware>>;
  readonly #kept = new Map<string, Promise<Buffer>>();
  #isDetached = false;
  #hasWarned = false;

  /**
   * Takes the requests for these files before anybody else on the HTTP server sees them.
   *
   * @param path - of the Socket.IO server, without a slash at its end
   * @param cors - as the option of the server
   * @param packageFolder - where `package.json` and `dist/client/` are
   */
  constructor(
    server: HttpServer,
    path: string,
    cors: ServerOptions["cors"],
    packageFolder: URL = new URL("../", import.meta.url),
  ) {
    this.#prefix = `${path}/`;
    this.#folder = packageFolder;
    this.#middlewares = cors ? [corsMiddleware(cors)] : [];
    this.#front = new RequestFront(server, (req, res) => this.#take(req, res));
  }

  /** Leaves the HTTP server with the listeners it had before, and those that came later. */
  detach(): void {
    this.#isDetached = true;
    this.#front.leave();
  }

  #take(req: IncomingMessage, res: ServerResponse): boolean {
    const name = this.#nameOf(req.url ?? "");
    const type = CONTENT_TYPES.get(name);
    if (type === undefined) return false;
    boundRestOfBody(req, res);
    // Without the header fields that an error left out, other origins get nothing; there are no secrets here.
    runMiddlewareChain(this.#middlewares, [req, res], () => {
      this.#serve(name, type, req, res).catch((error: unknown) => this.#fail(error, res));
    });
    return true;
  }

  /** What follows the path, without the query. */
  #nameOf(url: string): string {
    if (this.#isDetached || !url.startsWith(this.#prefix)) return "";
    const query = url.indexOf("?");
    return url.slice(this.#prefix.length, query < 0 ? undefined : query);
  }

  async #serve(name: string, type: string, { headers }: IncomingMessage, res: ServerResponse): Promise<void> {
    const etag = `"${await this.#version()}"`;
    const known = headers["if-none-match"]?.split(",") ?? [];
    if (known.some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
      res.writeHead(304).end();
      return;
    }
    const encoding = preferredEncoding(headers["accept-encoding"]?.toString(), ENCODINGS);
    const body = await this.#content(name, encoding);
    res.appendHeader("Vary", "Accept-Encoding");
    if (encoding !== undefined) res.setHeader("Content-Encoding", encoding);
    res
      .writeHead(200, {
        "Cache-Control": "public, max-age=0",
        "Content-Length": body.length,
        "Content-Type": type,
        ETag: etag,
      })
      .end(body);
  }

  async #version(): Promise<string> {
    const description = await this.#keep("package.json", () => readFile(new URL("package.json", this.#folder)));
    return (JSON.parse(description.toString()) as { version: string }).version;
  }

  #content(name: string, encoding: Encoding | undefined): Promise<Buffer> {
    if (encoding === undefined) return this.#keep(name, () => readFile(new URL(`dist/client/${name}`, this.#folder)));
    return this.#keep(`${name} ${encoding}`, async () => ENCODERS[encoding](await this.#content(name, undefined)));
  }

  /** What could not be read may be there the next time. */
  #keep(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      kept = make();
      this.#kept.set(key, kept);
      kept.catch(() => this.#kept.delete(key));
    }
    return kept;
  }

  #fail(error: unknown, res: ServerResponse): void {
    // Somebody else has answered already.
    if (res.headersSent) return;
    if (!this.#hasWarned) {
      const reason = error instanceof Error ? error.message : String(error);
      process.emitWarning(`the files of the browser client cannot be read: ${reason}`, {
        code: "SIO_CLIENT_FILES_MISSING",
        detail: "Has a bundler left them behind? serveClient: false says that they are not wanted.",
      });
    }
    this.#hasWarned = true;
    res.writeHead(404);
    res.end();
  }
}
