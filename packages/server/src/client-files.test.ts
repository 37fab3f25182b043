import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { ClientFiles } from "./client-files.js";
import type { ServerOptions } from "./options.js";

const FILES = ["socket.io.js", "socket.io.min.js"];
const contentOf = (name: string): string => `the content of ${name} `.repeat(50);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plugboard-client-files-"));
  await mkdir(join(folder, "dist/client"), { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "version": "4.5.6" }');
  for (const name of [...FILES, "secret.txt"]) await writeFile(join(folder, "dist/client", name), contentOf(name));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Served {
  readonly files: ClientFiles;
  readonly httpServer: HttpServer;
  get(url: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** An HTTP server whose own listener answers 418, behind the files. */
async function serve(cors?: ServerOptions["cors"], from = folder): Promise<Served> {
  const httpServer = createServer((_req, res) => res.writeHead(418).end("somebody else"));
  const files = new ClientFiles(httpServer, "/socket.io", cors, pathToFileURL(`${from}/`));
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  onTestFinished(() => {
    httpServer.closeAllConnections();
    httpServer.close();
  });
  const { port } = httpServer.address() as AddressInfo;
  const get: Served["get"] = async (url, headers = {}, method = "GET") => {
    const outgoing = request({ host: "127.0.0.1", port, path: url, headers, method, agent: false }).end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    const body = Buffer.concat(await response.toArray());
    return { status: response.statusCode, headers: response.headers, body };
  };
  return { files, httpServer, get };
}

// What the reference does too is shown for both in integration-tests/client-files/serving.test.ts.
describe("the files of the browser client", () => {
  it("say how long they are and what they depend on, also when only that is asked", async () => {
    const { get } = await serve();
    for (const method of ["GET", "HEAD"]) {
      const { status, headers } = await get("/socket.io/socket.io.js", {}, method);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        etag: '"4.5.6"',
        vary: "Accept-Encoding",
        "content-length": String(contentOf("socket.io.js").length),
      });
    }
  });

  it("are not sent again to who has them among others", async () => {
    const { get } = await serve();
    const statusFor = async (known: string): Promise<unknown> =>
      (await get("/socket.io/socket.io.js", { "if-none-match": known })).status;
    expect(await statusFor('"4.5.5", W/"4.5.6"')).toBe(304);
    for (const other of ["4.5.6", "", '"4.5.66"', '"4.5.5", "4.5.7"']) {
      expect([other, await statusFor(other)]).toEqual([other, 200]);
    }
  });

  it.each([
    ["br;q=0, *", "gzip"],
    ["identity;q=0", undefined],
    ["", undefined],
    [`${"x,".repeat(1000)}gzip`, undefined],
  ])("are compressed as the client prefers: %s", async (accepted, encoding) => {
    const { get } = await serve();
    // Made the first time, kept from then on.
    for (let i = 0; i < 2; i++) {
      const { headers, body } = await get("/socket.io/socket.io.min.js", { "accept-encoding": accepted });
      expect(headers["content-encoding"]).toBe(encoding);
      const plain = encoding === undefined ? body : gunzipSync(body);
      expect(plain.toString()).toBe(contentOf("socket.io.min.js"));
    }
  });

  it.each([
    "/socket.io/",
    "/socket.io",
    "/socket.io/secret.txt",
    "/socket.io/package.json",
    "/socket.io/socket.io",
    "/socket.io/socket.io.js.map.map",
    "/socket.io/socket.io.esm.js",
    "/socket.io/socket.io.msgpack.js",
    "/socket.io/socket.io.js/",
    "/socket.io//socket.io.js",
    "/socket.io/SOCKET.IO.JS",
    "/socket.io/./socket.io.js",
    "/socket.io/../socket.io/socket.io.js",
    "/socket.io/../../package.json",
    "/socket.io/..%2f..%2fpackage.json",
    "/socket.io/..\\..\\package.json",
    "/socket.io/%73ocket.io.js",
    "/socket.io/socket.io.js%00",
    "/socket.io/socket.io.js#x",
    "/socket.io/constructor",
    "/socket.io/__proto__",
    "/x/socket.io/socket.io.js",
    "//socket.io/socket.io.js",
  ])("are all there is; others get the request for %s", async (url) => {
    const { get } = await serve();
    expect(await get(url)).toMatchObject({ status: 418, body: Buffer.from("somebody else") });
  });

  it("are served without cross-origin fields when a `cors` function of the user throws", async () => {
    const { get } = await serve(() => {
      throw new Error("of the user");
    });
    const { status, headers } = await get("/socket.io/socket.io.js", { origin: "http://a.example" });
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  it("answer 404 and say so once when they are not there", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { get } = await serve(undefined, join(folder, "elsewhere"));
    for (let i = 0; i < 2; i++) expect(await get("/socket.io/socket.io.js")).toMatchObject({ status: 404 });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[1]).toMatchObject({ code: "SIO_CLIENT_FILES_MISSING" });
  });

  it("pass everything on after they left while somebody else still calls them", async () => {
    const { files, httpServer, get } = await serve();
    const [wrapper] = httpServer.listeners("request") as Array<(...args: unknown[]) => void>;
    httpServer.removeAllListeners("request").on("request", (...args) => wrapper?.call(httpServer, ...args));
    files.detach();
    expect(await get("/socket.io/socket.io.js")).toMatchObject({ status: 418 });
  });
});
