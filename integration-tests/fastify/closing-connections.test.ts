import { socketio } from "@plugboard/fastify";
import Fastify, { type FastifyInstance } from "fastify";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { selfSignedCertificate } from "../support/self-signed-certificate.js";
import { nextEvent } from "../support/next-event.js";
import { whenClosed } from "../support/when-closed.js";
import { deferred } from "./deferred.js";
import { listen, startApp } from "./start-app.js";

/** Milliseconds for handlers; what follows it may take as long again and more on a slow machine, but no timeout of Node's. */
const CLOSE_TIMEOUT = 500;
const SOON_MS = 20_000;

const [stock] = bothClients as [(typeof bothClients)[number]];

interface Refusal extends Error {
  readonly description: number | Error;
}

/** What a client may have sent when the application closes. */
const unfinished: [what: string, bytes: string][] = [
  ["nothing", ""],
  ["half of the head of a request", "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nX-A"],
  [
    "half of the head of an upgrade",
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: webso",
  ],
  [
    "half of the body of a request",
    "POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n40",
  ],
];

async function open(port: number, bytes: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  if (bytes !== "") socket.write(bytes);
  return socket;
}

/** Everything that was sent before has arrived, for this did. */
async function settled(url: string): Promise<void> {
  await (await fetch(`${url}/arrived`)).text();
}

async function closes(app: FastifyInstance): Promise<void> {
  const start = performance.now();
  await app.close();
  expect(performance.now() - start).toBeLessThan(SOON_MS);
}

const after = (app: FastifyInstance): void => {
  app.get("/arrived", () => "yes");
  app.post("/page", () => "ok");
};

describe("an application closes in time", () => {
  it.each(unfinished)("where somebody has sent %s and is silent", async (_what, bytes) => {
    const { app, port, url } = await startApp({ closeTimeout: CLOSE_TIMEOUT }, { after });
    const socket = await open(port, bytes);
    await settled(url);
    const ended = once(socket, "end");
    await closes(app);
    await ended;
  });

  it("where listeners have left an upgrade to nobody", async () => {
    const { app, port, url } = await startApp({ closeTimeout: CLOSE_TIMEOUT }, { after });
    app.server.on("upgrade", () => {});
    const socket = await open(port, "GET /nobodys HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    await settled(url);
    const ended = once(socket, "end");
    await closes(app);
    await ended;
  });

  it("where somebody is silent before the handshake of TLS, or behind it", async () => {
    const { key, cert } = selfSignedCertificate;
    const app = Fastify({ https: { key, cert } });
    await app.register(socketio as never, { closeTimeout: CLOSE_TIMEOUT });
    const { port } = await listen(app as never);
    const socket = await open(port, "");
    const secure = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    onTestFinished(() => void secure.destroy());
    secure.on("error", () => {}).resume();
    await once(secure, "secureConnect");
    const ended = Promise.all([once(socket, "end"), whenClosed(secure)]);
    await closes(app as never);
    await ended;
  });

  it("with polls and websockets that are open, silent ones among them, and a handler that does not end", async () => {
    const { app, port, url } = await startApp({ closeTimeout: CLOSE_TIMEOUT }, { after });
    const { promise: running, resolve: run } = deferred();
    app.io.event("never", () => {
      run();
      return new Promise(() => {});
    });
    const gone: Promise<unknown>[] = [];
    for (const { connect } of bothClients) {
      for (const transport of ["polling", "websocket"]) {
        const socket = await connect(url, { transports: [transport] });
        socket.emit("never", () => {});
        gone.push(nextEvent(socket, "disconnect"));
      }
    }
    await open(port, "GET");
    await running;
    await closes(app);
    await Promise.all(gone);
  });
});

describe("an application that closes leaves alone", () => {
  it("requests that are running, and connections that others have taken over", async () => {
    const { promise: mayAnswer, resolve: answer } = deferred();
    const { promise: asked, resolve: ask } = deferred();
    const { app, port } = await startApp(
      { closeTimeout: CLOSE_TIMEOUT },
      {
        after: (app) => {
          app.get("/slow", async () => {
            ask();
            await mayAnswer;
            return "slow";
          });
          app.server.on("upgrade", (req, socket) => {
            if (req.url !== "/other") return;
            socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
            socket.pipe(socket);
          });
        },
      },
    );
    const slow = await open(port, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    const other = await open(port, "GET /other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
    await once(other, "data");
    await asked;
    const silent = await open(port, "GET");
    const closed = app.close();
    await once(silent, "end");
    const slowly = once(slow, "data");
    answer();
    expect(String((await slowly)[0])).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    other.write("still here");
    expect(String((await once(other, "data"))[0])).toBe("still here");
    other.end();
    await closed;
  });
});

describe("while an application closes", () => {
  it.each(["polling", "websocket"])(
    "it refuses new connections over %s with 503, and finishes what runs",
    async (how) => {
      const { promise: mayFinish, resolve: finish } = deferred();
      const { promise: running, resolve: run } = deferred();
      const { promise: closing, resolve: startClosing } = deferred();
      const app = Fastify();
      app.addHook("preClose", async () => startClosing());
      await app.register(socketio);
      app.io.event("slow", async () => {
        run();
        await mayFinish;
        return "finished";
      });
      const { url } = await listen(app);
      const socket = await stock.connect(url, { transports: [how] });
      const answered = socket.emitWithAck("slow");
      await running;
      const closed = app.close();
      await closing;
      const [error] = await nextEvent<[Refusal]>(stock.open(url, { transports: [how] }), "connect_error");
      const { description } = error;
      expect(typeof description === "number" ? description : description.message).toEqual(
        how === "polling" ? 503 : "Unexpected server response: 503",
      );
      finish();
      expect(await answered).toBe("finished");
      await closed;
    },
  );
});
