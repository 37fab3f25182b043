import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { whenClosed } from "../support/when-closed.js";
import { deferred } from "./deferred.js";
import { startApp } from "./start-app.js";

const UPGRADE =
  "Host: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const WEBSOCKET = `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${UPGRADE}`;
const POLLING = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a.example\r\n\r\n";

/** A connection on which these bytes are sent. */
function send(port: number, bytes: string): Socket {
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  onTestFinished(() => void socket.destroy());
  return socket.on("error", () => {});
}

async function textUntil(socket: Socket, wanted: RegExp): Promise<string> {
  let text = "";
  while (!wanted.test(text)) text += String((await once(socket, "data"))[0]);
  return text;
}

describe("an upgrade behind a request that is not answered yet", () => {
  it.each(["handshake", "all"] as const)("costs its own connection alone, with hooks: %s", async (hooks) => {
    const { promise: mayAnswer, resolve: answer } = deferred();
    const { app, port, url } = await startApp(
      { hooks },
      { after: (it) => it.get("/slow", () => mayAnswer.then(() => "slow")) },
    );
    const opened = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
    const [, sid = ""] = /"sid":"([^"]+)"/.exec(opened) ?? [];
    const query = `EIO=4&transport=websocket`;
    for (const path of [`/socket.io/?${query}`, `/socket.io/?${query}&sid=${sid}`, "/elsewhere"]) {
      const socket = send(port, `GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\nGET ${path} HTTP/1.1\r\n${UPGRADE}`);
      let isAnswered = false;
      socket.on("data", () => (isAnswered = true));
      await whenClosed(socket);
      expect(isAnswered).toBe(false);
    }
    answer();
    expect(await (await fetch(`${url}/slow`)).text()).toBe("slow");
    expect(app.io.engine.clientsCount).toBe(1);
    await app.close();
  });
});

describe("an upgrade that nobody wants", () => {
  /** As clients that would rather speak HTTP/2 send it. */
  const h2c = (head: string, body: string): string =>
    `${head}Host: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Type: application/json\r\n\r\n${body}`;

  it("is a request with its body, again and again on one connection", async () => {
    const { port } = await startApp(
      {},
      { after: (app) => app.post("/echo", async ({ body, headers }) => [body, headers.upgrade]) },
    );
    const socket = send(port, h2c("POST /echo HTTP/1.1\r\nContent-Length: 3\r\n", "[1]"));
    expect(await textUntil(socket, /\]$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\[\[1\],"h2c"\]$/);
    socket.write(h2c("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "2\r\n[2\r\n"));
    socket.write("1\r\n]\r\n0\r\n\r\n");
    expect(await textUntil(socket, /\]$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\[\[2\],"h2c"\]$/);
    socket.write("GET /none HTTP/1.1\r\nHost: a.example\r\n\r\n");
    expect(await textUntil(socket, /\}$/)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("does not hold up an application with forceCloseConnections", async () => {
    const { promise: asked, resolve: ask } = deferred();
    const { app, port } = await startApp(
      {},
      {
        fastify: { forceCloseConnections: true },
        after: (it) =>
          it.get("/never", () => {
            ask();
            return new Promise(() => {});
          }),
      },
    );
    const socket = send(port, h2c("GET /never HTTP/1.1\r\n", ""));
    await asked;
    const gone = whenClosed(socket);
    await app.close();
    await gone;
  });
});

describe("a handshake that is in its hooks while the application closes", () => {
  it.each([
    ["polling", POLLING, "preHandler"],
    ["websocket", WEBSOCKET, "preHandler"],
    ["websocket", WEBSOCKET, "onSend"],
  ] as const)("is not let in: %3$s, over %1$s", async (_how, bytes, hook) => {
    const { promise: mayGoOn, resolve: goOn } = deferred();
    const { promise: asked, resolve: ask } = deferred();
    const { promise: isClosing, resolve: close } = deferred();
    const wait = async (): Promise<void> => {
      ask();
      await mayGoOn;
    };
    const { app, port } = await startApp({
      preClose: async () => {
        close();
        await wait();
      },
      routeOptions: { [hook]: wait },
    });
    const connections: unknown[] = [];
    app.io.engine.on("connection", (connection) => connections.push(connection));
    const socket = send(port, bytes);
    await asked;
    const closed = app.close();
    await isClosing;
    goOn();
    expect(await textUntil(socket, /\r\n\r\n[^]*closing/)).toMatch(/^HTTP\/1\.1 503 /);
    await closed;
    expect(connections).toEqual([]);
  });
});

describe("hooks that never end", () => {
  it.each([
    ["polling", POLLING],
    ["websocket", WEBSOCKET],
  ])("do not hold up an application that closes: %s", async (_how, bytes) => {
    const { promise: asked, resolve: ask } = deferred();
    const { app, port } = await startApp({
      routeOptions: {
        onRequest: () => {
          ask();
          return new Promise(() => {});
        },
      },
    });
    const socket = send(port, bytes);
    await asked;
    const gone = whenClosed(socket);
    await app.close();
    await gone;
  });
});

describe("the body of a request that is answered", () => {
  it.each(["handshake", "all"] as const)("is cut when it does not end, with hooks: %s", async (hooks) => {
    const { port, url } = await startApp({ hooks, maxHttpBufferSize: 1000 });
    const opened = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
    const [, sid = ""] = /"sid":"([^"]+)"/.exec(opened) ?? [];
    for (const id of [sid, "unknown"]) {
      const head = `POST /socket.io/?EIO=4&transport=polling&sid=${id} HTTP/1.1\r\nHost: a.example\r\n`;
      const socket = send(port, `${head}Content-Type: text/plain\r\nContent-Length: 10000000000\r\n\r\n`);
      const timer = setInterval(() => socket.write("a".repeat(10_000)), 10);
      onTestFinished(() => clearInterval(timer));
      socket.resume();
      await whenClosed(socket);
      clearInterval(timer);
    }
  });
});
