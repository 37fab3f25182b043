import {
  EventRouter,
  jwtAuth,
  limitConnects,
  limitHandshakes,
  perEvent,
  socketio,
  validate,
  type ExpressServer,
  type ExpressSocket,
  type SupertestAgent,
} from "@plugboard/express";
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

declare module "express-session" {
  interface SessionData {
    wishes?: string[];
  }
}

test("sockets have the session that programs have declared for requests", () => {
  io.on("connection", async (socket) => {
    expect(socket.session.data.wishes).type.toBe<readonly string[] | undefined>();
    const { wishes } = await socket.session.update((data) => {
      expect(data.wishes).type.toBe<string[] | undefined>();
    });
    expect(wishes).type.toBe<readonly string[] | undefined>();
    expect(socket.session.data).type.not.toHaveProperty("regenerate");
  });
});

test("limits may count by what Express knows", () => {
  expect(limitConnects).type.toBeCallableWith({
    points: 1,
    duration: 1,
    by: (socket: ExpressSocket) => socket.request.ip,
  });
  limitHandshakes(io, {
    points: 1,
    duration: 1,
    by: (request) => {
      expect(request).type.toBe<Request>();
      return request.ip;
    },
  });
  expect(limitHandshakes).type.not.toBeCallableWith(io, { by: "socket", points: 1, duration: 1 });
  expect(limitHandshakes).type.not.toBeCallableWith(io, { by: "address" });
});

test("routers take handlers that perEvent wraps", () => {
  EventRouter().on(
    "clear",
    perEvent((_payload, context) => {
      expect(context.event).type.toBe<string>();
    }),
  );
});

test("inject takes agents whose cookies are read-only", () => {
  const agent = { jar: { getCookies: (): readonly { toValueString(): string }[] => [] } };
  expect(agent).type.toBeAssignableTo<SupertestAgent>();
});
