import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import type { SocketioOptions } from "@plugboard/fastify";
import type { FastifyServerOptions } from "fastify";
import { startApp } from "./start-app.js";

const UPGRADE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** The status line and what follows it; no URL parser of a client stands between. */
function ask(port: number, url: string, fields = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(`GET ${url} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n${fields}\r\n`),
    );
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
      // Accepted upgrades stay open.
      if (text.startsWith("HTTP/1.1 101")) socket.destroy();
    });
    socket.once("error", reject).once("close", () => resolve(text));
  });
}

/** Its hook asks for a password where a connection begins, and nowhere else. */
async function startGuarded(options: SocketioOptions = {}, fastify: FastifyServerOptions = {}) {
  const { app, port } = await startApp(
    {
      ...options,
      routeOptions: {
        preHandler: async (request, reply) => {
          if (request.ioHandshake && request.headers.authorization !== "yes") return reply.code(401).send("no");
          return undefined;
        },
      },
    },
    { fastify },
  );
  const { engine } = app.io;
  const letIn = await ask(port, "/socket.io/?EIO=4&transport=polling", "Authorization: yes\r\n");
  const [, sid = ""] = /"sid":"([^"]+)"/.exec(letIn) ?? [];
  expect(engine.clientsCount).toBe(1);
  return { engine, port, sid };
}

describe("request.ioHandshake", () => {
  it.each(["handshake", "all"] as const)(
    "is true whatever else in the query looks like the id of a connection, with hooks: %s",
    async (hooks) => {
      const { engine, port, sid } = await startGuarded({ hooks });
      for (const transport of ["polling", "websocket"]) {
        const fields = transport === "websocket" ? UPGRADE : "";
        for (const id of ["unknown", sid]) {
          for (const more of [`&x=?sid=${id}`, `&sid=${id}&sid=`, `&sid=${id}&%73id`, `&sid=#&sid=`]) {
            const url = `/socket.io/?EIO=4&transport=${transport}${more}`;
            expect([url, await ask(port, url, fields)]).toEqual([url, expect.stringMatching(/^HTTP\/1\.1 401 /)]);
          }
        }
      }
      expect(engine.clientsCount).toBe(1);
    },
  );

  it.each([
    "/socket%2Eio/",
    "/%73ocket.io",
    "/SOCKET.IO/",
    "//socket.io/",
    "/socket.io//",
    "http://a.example/socket.io/",
    "/socket.io/#",
    "/socket.io/#&sid=x",
  ])("is true however the path is written, if Fastify takes it for ours: %s", async (path) => {
    const { engine, port } = await startGuarded(
      {},
      { routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true } },
    );
    for (const transport of ["polling", "websocket"]) {
      const url = `${path}?EIO=4&transport=${transport}`;
      expect(await ask(port, url, transport === "websocket" ? UPGRADE : "")).toMatch(/^HTTP\/1\.1 40[014] /);
    }
    expect(engine.clientsCount).toBe(1);
  });

  it("is true below a parameter", async () => {
    const seen: unknown[] = [];
    const { port } = await startApp(
      { prefix: "/:tenant" },
      { before: (app) => app.addHook("onRequest", async ({ ioHandshake }) => void seen.push(ioHandshake)) },
    );
    expect(await ask(port, "/blue/socket.io/?EIO=4&transport=polling")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask(port, "/blue/elsewhere?EIO=4&transport=polling")).toMatch(/^HTTP\/1\.1 404 /);
    expect(seen).toEqual([true, false]);
  });
});

describe("an upgrade", () => {
  it.each<[string, object]>([
    ["/socket%2Eio/", {}],
    ["/%73ocket.io", {}],
    ["/socket%2fio/", {}],
    ["/socket.io/%", {}],
    ["http://a.example/socket.io/", {}],
    ["/SOCKET.IO/", {}],
    ["/SOCKET.IO/", { caseSensitive: false }],
    ["/%53OCKET.IO", { caseSensitive: false }],
    ["//socket.io/", {}],
    ["//socket.io/", { ignoreDuplicateSlashes: true }],
    ["/socket.io;", {}],
    ["/socket.io;", { useSemicolonDelimiter: true }],
    ["/sOcket.io/x", { caseSensitive: false }],
  ])("finds its way as a poll does: %s with %j", async (path, routerOptions) => {
    const { port } = await startApp({}, { fastify: { routerOptions } });
    const polled = await ask(port, `${path}?EIO=4&transport=polling`);
    const upgraded = await ask(port, `${path}?EIO=4&transport=websocket`, UPGRADE);
    expect(polled.slice(9, 12)).toMatch(/200|40[04]/);
    expect(upgraded.slice(9, 12)).toBe(polled.slice(9, 12).replace("200", "101"));
  });
});
