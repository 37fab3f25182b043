import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { connectClient } from "../support/connect-client.js";
import { plugboard } from "../support/interop-implementation.js";
import { listen } from "../support/listening-server.js";
import { SERVERS } from "./abuse.js";
import { ABUSES } from "./abuses/index.js";

describe.each(Object.keys(ABUSES))("%s", (topic) => {
  it.each(ABUSES[topic] ?? [])("$title", async ({ server: name = "patient", run }) => {
    const { http, io: options } = SERVERS[name];
    const server = await listen(plugboard, { ...options, onListenerError() {} } as object, {
      webServer: createServer(http),
    });
    server.io.of("/chat");
    server.io.on("connection", (socket) => {
      socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));
    });
    const bystander = await connectClient(server.url);

    await run(server.port);

    expect(await bystander.emitWithAck("echo", topic)).toBe(topic);
    expect(server.io.engine.clientsCount).toBe(1);
    expect(server.io.sockets.sockets.size).toBe(1);
  });
});
