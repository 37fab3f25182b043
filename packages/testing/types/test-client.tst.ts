import type { Agent } from "node:http";
import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "@plugboard/client";
import { type DefaultEventsMap, Server } from "@plugboard/server";
import { closeTestClients, memoryAgent, testClient, type TestClientOptions, type TestSocket } from "@plugboard/testing";
import { describe, expect, test } from "tstyche";

interface ClientToServer {
  add: (item: { title: string }, answer: (id: number) => void) => void;
  ping: () => void;
}
interface ServerToClient {
  added: (item: { id: number; title: string }) => void;
}

describe("testClient", () => {
  const io = new Server<ClientToServer, ServerToClient, { hello: () => void }, { user: string }>();

  test("turns the events of the server around", async () => {
    const client = await testClient(io, "/todo");
    expect(client).type.toBe<TestSocket<ServerToClient, ClientToServer>>();
    expect(client).type.toBeAssignableTo<Socket<ServerToClient, ClientToServer>>();
    expect(client.emitWithAck("add", { title: "tea" })).type.toBe<Promise<number>>();
    expect(client.emit).type.not.toBeCallableWith("added", { id: 1, title: "tea" });
    expect(client.emit).type.not.toBeCallableWith("add", { title: 7 });
    client.on("added", (item) => {
      expect(item).type.toBe<{ id: number; title: string }>();
    });
    client.on("disconnect", (reason) => {
      expect(reason).type.toBe<Socket.DisconnectReason>();
    });
  });

  test("takes any event of a server without types", async () => {
    const client = await testClient(new Server());
    expect(client).type.toBe<TestSocket<DefaultEventsMap, DefaultEventsMap>>();
    expect(client.emit).type.toBeCallableWith("anything", 1, "two");
  });

  test("takes servers of the default events with the events of a namespace", async () => {
    const client = await testClient<ClientToServer, ServerToClient>(new Server(), "/todo");
    expect(client).type.toBe<TestSocket<ServerToClient, ClientToServer>>();
  });

  test("can be disposed of", async () => {
    const client = await testClient(io);
    expect(client).type.toBeAssignableTo<AsyncDisposable>();
    expect(closeTestClients()).type.toBe<Promise<void>>();
  });

  test("takes the options of the client and its own", () => {
    expect(testClient).type.toBeCallableWith(io, "/", { cookies: { a: "1" }, headers: { "x-a": "1" } });
    expect(testClient).type.toBeCallableWith(io, "/", { cookies: ["a=1"], remoteAddress: "::1" });
    expect(testClient).type.toBeCallableWith(io, "/", { auth: { token: "t" }, transports: ["websocket"] });
    expect(testClient).type.toBeCallableWith(io, undefined, { auth: async () => ({ token: "t" }), ackTimeout: 10 });
    expect(testClient).type.not.toBeCallableWith(io, "/", { cookies: { a: 1 } });
    expect(testClient).type.not.toBeCallableWith(io, { auth: {} });
    expect<TestClientOptions>().type.not.toHaveProperty("url");
  });
});

describe("memoryAgent", () => {
  test("is an agent of Node for servers of all kinds", () => {
    expect(memoryAgent(new Server())).type.toBe<Agent>();
    expect(memoryAgent(new Server<ClientToServer, ServerToClient>())).type.toBe<Agent>();
    expect(memoryAgent(createServer() as HttpServer, { remoteAddress: "10.0.0.1" })).type.toBe<Agent>();
    expect(memoryAgent(createSecureServer())).type.toBe<Agent>();
    expect(memoryAgent).type.not.toBeCallableWith("http://localhost");
  });
});
