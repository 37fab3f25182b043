import { EventRouter, jwtAuth, socketio, validate, type ExpressServer, type ExpressSocket } from "@plugboard/express";
import type { TestSocket } from "@plugboard/testing";
import express, { type Request } from "express";
import { describe, expect, test } from "tstyche";
import { z } from "zod";

interface Received {
  add: (text: string, ack: (id: number) => void) => void;
}
interface Sent {
  added: (id: number) => void;
}
const app = express();
const io = socketio<Received, Sent>(app);

describe("socketio", () => {
  test("takes an application, options of its own and of the server", () => {
    expect(socketio).type.toBeCallableWith(app, { pingInterval: 5, runOn: "all", session: { onEnd: "disconnect" } });
    expect(socketio).type.toBeCallableWith(app, { session: false });
    expect(socketio).type.not.toBeCallableWith(app, { runOn: "some" });
    expect(socketio).type.not.toBeCallableWith({});
  });

  test("gives sockets whose request is that of Express", () => {
    io.on("connection", (socket) => {
      expect(socket).type.toBe<ExpressSocket<Received, Sent>>();
      expect(socket.request).type.toBe<Request>();
      expect(socket.request.ip).type.toBe<string | undefined>();
      expect(socket.emit).type.toBeCallableWith("added", 5);
      expect(socket.emit).type.not.toBeCallableWith("added", "5");
    });
    io.of("/chat").on("connection", (socket) => {
      expect(socket.request).type.toBe<Request>();
    });
  });

  test("mounts routers and tokens", () => {
    expect(io.use).type.toBeCallableWith(EventRouter());
    expect(io.use).type.toBeCallableWith("/todos", EventRouter());
    expect(io.use).type.toBeCallableWith(jwtAuth({ verify: () => ({ user: "ada" }) }));
  });
});

test("validate types the payload of a handler", () => {
  EventRouter().on("add", validate(z.object({ n: z.string().transform(Number) })), (payload) => {
    expect(payload).type.toBe<{ n: number }>();
  });
});

test("inject gives a client with the events of the server turned round", () => {
  expect(io.inject("/")).type.toBe<Promise<TestSocket<Sent, Received>>>();
});

test("requests know the server, and responses emit", () => {
  app.get("/", (req, res) => {
    expect(req.io).type.toBe<ExpressServer>();
    expect(res.emitTo).type.toBeCallableWith("room", "event", 1, { two: 2 });
    expect(res.emitTo(["one", "two"], "event")).type.toBe<typeof res>();
    expect(res.emitTo).type.not.toBeCallableWith("room");
  });
});
