import { socketio } from "@plugboard/fastify";
import Fastify from "fastify";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { whenClosed } from "../support/when-closed.js";
import { deferred } from "./deferred.js";
import { startApp } from "./start-app.js";

/** Longer than a test may take: who closes has not waited for it. */
const patient = { closeTimeout: 600_000 };

describe.each(bothClients)("an application that closes, as $name sees it", (client) => {
  it.each(["polling", "websocket"])("ends an open %s connection, which tries again by itself", async (transport) => {
    const { url, app } = await startApp(patient);
    const socket = await client.connect(url, { transports: [transport], reconnection: true });
    const disconnected = nextEvent<[string]>(socket, "disconnect");
    await app.close();
    const [reason] = await disconnected;
    expect(["transport close", "transport error"]).toContain(reason);
    expect(socket.active).toBe(true);
  });

  it.each(["polling", "websocket"])("lets a running handler finish and answer over %s", async (transport) => {
    const { promise: mayFinish, resolve: finish } = deferred();
    const { promise: started, resolve: start } = deferred();
    const { url, app } = await startApp(
      {},
      {
        after: (app) =>
          app.io.event("slow", async () => {
            start();
            await mayFinish;
            return "done";
          }),
      },
    );
    const socket = await client.connect(url, { transports: [transport] });
    const answered = socket.emitWithAck("slow");
    await started;
    const closed = app.close();
    finish();
    expect(await answered).toBe("done");
    await closed;
  });

  it("calls preClose of the options and of the program, while clients are there", async () => {
    const seen: string[] = [];
    const { url, app } = await startApp(
      {
        preClose: async (io) => {
          seen.push("option");
          io.emit("bye");
          await new Promise((resolve) => setImmediate(resolve));
        },
      },
      { before: (app) => app.addHook("preClose", async () => void seen.push("program")) },
    );
    const socket = await client.connect(url);
    const bye = nextEvent(socket, "bye");
    await app.close();
    await bye;
    expect(seen).toEqual(["program", "option"]);
  });

  it("awaits the listeners of disconnect before the hooks of onClose", async () => {
    const seen: string[] = [];
    const { url, app } = await startApp(
      {},
      {
        before: (app) => app.addHook("onClose", async () => void seen.push("onClose")),
        after: (app) => {
          app.io.addHook("onDisconnect", async (_socket, reason) => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            seen.push(reason);
          });
        },
      },
    );
    await client.connect(url);
    await app.close();
    expect(seen).toEqual(["server shutting down", "onClose"]);
  });
});

describe("an application that closes", () => {
  it("does not wait longer than closeTimeout for a handler", async () => {
    const { url, app } = await startApp(
      { closeTimeout: 100 },
      { after: (app) => void app.io.event("sync", () => "ok").event("never", () => new Promise(() => {})) },
    );
    const [client] = bothClients;
    const socket = await client!.connect(url);
    socket.emit("never", () => {});
    expect(await socket.emitWithAck("sync")).toBe("ok");
    await app.close();
  });

  it("cuts upgrades whose hooks do not come to an end", async () => {
    const { promise: reached, resolve: reach } = deferred();
    const { port, app } = await startApp({
      ...patient,
      routeOptions: {
        onRequest: () => {
          reach();
          return new Promise(() => {});
        },
      },
    });
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await reached;
    const ended = whenClosed(socket);
    await app.close();
    await ended;
  });

  it("ends refused upgrades of clients that keep their half open", async () => {
    const { port, app } = await startApp({
      ...patient,
      routeOptions: { onRequest: async (_request, reply) => reply.code(401).send("no") },
    });
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.write(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    await once(socket.resume(), "end");
    await app.close();
  });

  it("closes when nothing has ever connected, and when it never listened", async () => {
    const app = Fastify();
    await app.register(socketio);
    await app.ready();
    await app.close();
    await app.close();
    const never = Fastify();
    never.register(socketio);
    await never.close();
  });
});
