import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { interopSuite } from "../support/interop-suite.js";

const SCRIPTS = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"];
const FILES = SCRIPTS.flatMap((name) => [name, `${name}.map`]);

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

async function get(port: number, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const outgoing = request({ host: "127.0.0.1", port, path, headers, method, agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(await response.toArray()) };
}

interopSuite("the files of the client", ({ startServer, implementation, oursOnly }) => {
  const packageName = implementation.ours ? "@plugboard/server" : "socket.io";
  const { version } = createRequire(import.meta.url)(`${packageName}/package.json`) as { version: string };

  it.each(FILES)("are served beside the connections: %s", async (name) => {
    const { port } = await startServer();
    const { status, headers, body } = await get(port, `/socket.io/${name}`);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "cache-control": "public, max-age=0",
      "content-type": `application/${name.endsWith(".map") ? "json" : "javascript"}; charset=utf-8`,
      etag: `"${version}"`,
    });
    expect(headers).not.toHaveProperty("x-sourcemap");
    if (name.endsWith(".map")) expect(JSON.parse(body.toString())).toMatchObject({ version: 3 });
    else expect(body.toString()).toContain(`//# sourceMappingURL=${name}.map`);
  });

  it("are served under the path of the server, whatever the query and the method", async () => {
    const { port } = await startServer({ path: "/chat/" });
    expect((await get(port, "/chat/socket.io.js?x=1")).status).toBe(200);
    expect((await get(port, "/chat/socket.io.min.js", {}, "POST")).status).toBe(200);
    expect((await get(port, "/chat/socket.io.min.js", {}, "HEAD")).body).toHaveLength(0);
  });

  it("are answered with 304 to who has this version", async () => {
    const { port } = await startServer();
    for (const known of [`"${version}"`, `W/"${version}"`]) {
      const { status, headers, body } = await get(port, "/socket.io/socket.io.js", { "if-none-match": known });
      expect([status, body.length]).toEqual([304, 0]);
      expect(headers).not.toHaveProperty("etag");
    }
    expect((await get(port, "/socket.io/socket.io.js", { "if-none-match": '"1.0.0"' })).status).toBe(200);
  });

  it.each([
    ["gzip,br,deflate", "gzip"],
    ["br, gzip", "br"],
    ["deflate", "deflate"],
    ["*", "br"],
    ["identity, gzip", "gzip"],
    ["br;q=0.5, gzip", "gzip"],
    ["zstd", undefined],
  ])("are compressed as the client prefers: %s", async (accepted, encoding) => {
    const { port } = await startServer();
    const plain = await get(port, "/socket.io/socket.io.min.js");
    const { headers, body } = await get(port, "/socket.io/socket.io.min.js", { "accept-encoding": accepted });
    expect(headers["content-encoding"]).toBe(encoding);
    const decode = { br: brotliDecompressSync, gzip: gunzipSync, deflate: inflateSync };
    expect(encoding === undefined ? body : decode[encoding as "br"](body)).toEqual(plain.body);
  });

  it.each(["socket.io.msgpack.js", "../../package.json"])(
    "are all there is: for %s the engine answers that it knows no such transport",
    async (name) => {
      const { port } = await startServer();
      const { status, body } = await get(port, `/socket.io/${name}`);
      expect([status, JSON.parse(body.toString())]).toEqual([400, { code: 0, message: "Transport unknown" }]);
    },
  );

  it("are left to the engine, which knows no such transport, with serveClient: false", async () => {
    const { port } = await startServer({ serveClient: false });
    const { status, body } = await get(port, "/socket.io/socket.io.js");
    expect([status, JSON.parse(body.toString())]).toEqual([400, { code: 0, message: "Transport unknown" }]);
  });

  it("are shared with the origins that `cors` names", async () => {
    const { port } = await startServer({ cors: { origin: "http://a.example", credentials: true } });
    const headers = { origin: "http://a.example", "access-control-request-method": "GET" };
    expect((await get(port, "/socket.io/socket.io.js", headers)).headers).toMatchObject({
      "access-control-allow-origin": "http://a.example",
      "access-control-allow-credentials": "true",
    });
    expect((await get(port, "/socket.io/socket.io.js", headers, "OPTIONS")).status).toBe(204);
  });

  it("leave requests for other paths to the application", async () => {
    const { port, webServer } = await startServer();
    webServer.on("request", (req, res) => {
      if (req.url === "/other") res.end("mine");
    });
    expect((await get(port, "/other")).body.toString()).toBe("mine");
  });

  oursOnly("are gone with the server when the HTTP server stays", "it always closes that too", async () => {
    const { io, port, webServer } = await startServer();
    expect((await get(port, "/socket.io/socket.io.js")).status).toBe(200);
    await io.close({ closeHttpServer: false } as never);
    webServer.on("request", (_req, res) => res.writeHead(418).end());
    expect((await get(port, "/socket.io/socket.io.js")).status).toBe(418);
  });

  it("are those of the package of the client", async () => {
    const folder = implementation.ours ? "../../packages/client/dist/" : "../../node_modules/socket.io-client/dist/";
    const { port } = await startServer();
    for (const name of FILES) {
      const { body } = await get(port, `/socket.io/${name}`);
      const isSame = body.equals(await readFile(new URL(folder + name, import.meta.url)));
      expect([name, isSame]).toEqual([name, true]);
    }
  });
});
