import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type RequestListener, type Server as HttpServer } from "node:http";
import { get as getSecurely, createServer as createSecureServer } from "node:https";
import { createSecureServer as createHttp2Server, createServer as createPlainHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { Server } from "@plugboard/server";
import { describe, expect, it } from "vitest";
import { MemoryAgent, memoryAgent } from "./memory-agent.js";

async function fetchText(agent: MemoryAgent | ReturnType<typeof memoryAgent>, url = "http://test/"): Promise<string> {
  const request = (url.startsWith("https:") ? getSecurely : get)(url, { agent });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return text(response);
}

const tellAddress: RequestListener = ({ socket }, response) => {
  const { remoteAddress, remoteFamily, localAddress, localPort } = socket;
  response.end(JSON.stringify({ remoteAddress, remoteFamily, localAddress, localPort }));
};

describe("memoryAgent", () => {
  it("brings requests to a server that does not listen", async () => {
    const server = createServer((request, response) => response.end(`${request.method} ${request.headers.host}`));
    expect(await fetchText(memoryAgent(server))).toBe("GET test");
    expect(server.listening).toBe(false);
  });

  it("brings requests to a server that listens too", async () => {
    const server = createServer((_request, response) => response.end("here")).listen(0, "127.0.0.1");
    await once(server, "listening");
    expect(await fetchText(memoryAgent(server))).toBe("here");
    server.close();
  });

  it("uses a connection again, and has a port of its own for each", async () => {
    const ports: unknown[] = [];
    const server = createServer((request, response) => response.end(String(ports.push(request.socket.remotePort))));
    const agent = memoryAgent(server);
    await fetchText(agent);
    await fetchText(agent);
    await Promise.all([fetchText(agent), fetchText(agent)]);
    expect(ports[1]).toBe(ports[0]);
    expect(new Set(ports).size).toBe(2);
  });

  it("comes from 127.0.0.1 unless told otherwise", async () => {
    const server = createServer(tellAddress);
    const seen = async (remoteAddress?: string): Promise<unknown> =>
      JSON.parse(await fetchText(memoryAgent(server, remoteAddress === undefined ? {} : { remoteAddress })));
    expect(await seen()).toEqual({
      remoteAddress: "127.0.0.1",
      remoteFamily: "IPv4",
      localAddress: "127.0.0.1",
      localPort: 80,
    });
    expect(await seen("203.0.113.7")).toMatchObject({ remoteAddress: "203.0.113.7", localAddress: "127.0.0.1" });
    expect(await seen("2001:db8::1")).toMatchObject({ remoteFamily: "IPv6", localAddress: "::1" });
    expect(() => memoryAgent(server, { remoteAddress: "localhost" })).toThrow(TypeError);
  });

  it("keeps what AsyncLocalStorage holds from the server, and for the client", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const server = createServer((_request, response) => {
      seen.push(storage.getStore());
      response.end();
    });
    server.on("connection", () => seen.push(storage.getStore()));
    await storage.run("of the test", async () => {
      const request = get("http://test/", { agent: memoryAgent(server) });
      await new Promise<void>((resolve) =>
        request.on("response", (response) => {
          seen.push(storage.getStore());
          response.resume().on("end", resolve);
        }),
      );
    });
    expect(seen).toEqual([undefined, undefined, "of the test"]);
  });

  it.each([
    ["https", () => createSecureServer((_request, response) => response.end("secret"))],
    ["http2", () => createHttp2Server({ allowHTTP1: true }, (_request, response) => response.end("secret"))],
  ])("counts as encrypted on a server of %s, though no TLS is spoken", async (_name, create) => {
    const server = create();
    let encrypted: unknown;
    server.on("secureConnection", (socket: Socket & { encrypted?: boolean }) => (encrypted = socket.encrypted));
    expect(await fetchText(memoryAgent(server as HttpServer), "https://test/")).toBe("secret");
    expect(encrypted).toBe(true);
  });

  it("is refused by a server that was closed, until that listens again", async () => {
    const server = createServer((_request, response) => response.end("open"));
    const agent = memoryAgent(server);
    expect(await fetchText(agent)).toBe("open");
    server.close();
    await once(server, "close");
    await expect(fetchText(memoryAgent(server))).rejects.toMatchObject({ code: "ECONNREFUSED", syscall: "connect" });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    expect(await fetchText(memoryAgent(server))).toBe("open");
    server.close();
  });

  it("attaches a Socket.IO server that has no HTTP server to one that never listens", async () => {
    const io = new Server({ serveClient: false });
    const agent = memoryAgent(io);
    expect(await fetchText(agent, "http://test/socket.io/?EIO=4&transport=polling")).toMatch(/^0\{/);
    expect(await fetchText(agent, "http://test/other")).toBe("");
    const { httpServer } = io;
    expect(httpServer.listening).toBe(false);
    memoryAgent(io);
    expect(io.httpServer).toBe(httpServer);
    const error = await new Promise((resolve) => void io.close(resolve));
    expect(error).toBeUndefined();
    await expect(fetchText(memoryAgent(io))).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("refuses what it cannot connect to", () => {
    const bound = new Server().bind(new Server(createServer()).engine);
    expect(() => memoryAgent(bound)).toThrow("bound to an engine made elsewhere");
    expect(() => memoryAgent(createPlainHttp2Server() as unknown as HttpServer)).toThrow(TypeError);
    expect(() => memoryAgent({} as HttpServer)).toThrow(TypeError);
  });
});

describe("draining", () => {
  it("lets running requests end, closes idle connections and resolves when both ends are closed", async () => {
    const sockets = new Set<Socket>();
    const arrived: Array<() => void> = [];
    const server = createServer((request, response) => {
      sockets.add(request.socket);
      if (request.url === "/slow") arrived.push(() => response.end("slow"));
      else response.end("quick");
    });
    const agent = new MemoryAgent(server);
    await fetchText(agent);
    const slow = Promise.all([fetchText(agent, "http://test/slow"), fetchText(agent, "http://test/slow")]);
    while (arrived.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const drained = agent.drain();
    for (const answer of arrived) answer();
    expect(await slow).toEqual(["slow", "slow"]);
    // Not kept for later, nor cut after a second.
    await new Promise((resolve) => setImmediate(resolve));
    expect([...sockets].map((socket) => socket.destroyed)).toEqual([true, true]);
    await drained;
  });

  it("cuts what does not end within a second", async () => {
    const server = createServer();
    const agent = new MemoryAgent(server);
    const request = get("http://test/", { agent });
    const failed = once(request, "error");
    await once(server, "request");
    await agent.drain();
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
  });
});
