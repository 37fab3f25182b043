import { Server, type Socket } from "@plugboard/server";
import { defer, Observable } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "../../server/src/fake-engine.js";
import { Connection, type MessageHandler } from "./connection.js";
import { EventFailures } from "./event-failures.js";
import { EventRules } from "./event-rules.js";
import { resolveOptions, type SocketIoOptions } from "./options.js";

async function connect(
  handlers: readonly MessageHandler[],
  given: SocketIoOptions = {},
): Promise<{ socket: Socket; peer: FakeConnection }> {
  const engine = new FakeEngine();
  const io = new Server().bind(engine);
  const { connection: peer, sid } = await engine.join();
  peer.take();
  const socket = io.sockets.sockets.get(sid) as Socket;
  const options = resolveOptions(given).own;
  const failures = new EventFailures(options);
  const connection = new Connection(socket, { options, failures, track: () => {} }, new EventRules([], Infinity));
  connection.addHandlers(handlers);
  connection.start();
  return { socket, peer };
}

describe("the handler of a pattern", () => {
  it("does not get an event that a middleware of the program refuses, added when the socket was open already", async () => {
    const heard: unknown[] = [];
    const { socket, peer } = await connect([{ message: "doc:*", callback: (value: unknown) => heard.push(value) }]);
    socket.on("error", () => {});
    socket.use(([, value], next) => next(value === "secret" ? new Error("no") : undefined));
    peer.receive('2["doc:open","secret"]', '2["doc:open","public"]');
    await turn();
    expect(heard).toEqual(["public"]);
  });
});

it.each([
  ["a number for its name", "5", "a number"],
  ["a name that takes a regular expression minutes", JSON.stringify("x".repeat(5000)), "SIO_UNKNOWN_EVENT"],
])("answers an event with %s, where there are patterns", async (_, name, answer) => {
  const { peer } = await connect(
    [
      { message: "doc:*", callback: () => "a document" },
      { message: /^(\d|.*x.*x.*x.*y)$/, callback: () => "a number" },
    ],
    { unknownEvents: "ack-error" },
  );
  peer.receive(`21[${name}]`);
  await turn();
  expect(peer.take().map(String)).toEqual([expect.stringContaining(answer)]);
});

it("lets go of an observable whose client has left before it was there", async () => {
  let subscribers = 0;
  const ticks = new Observable(() => {
    subscribers++;
    return () => void subscribers--;
  });
  let heard = false;
  const late = defer(() => Promise.resolve().then(() => (heard = true)));
  const { peer } = await connect([
    { message: "ticks", callback: () => Promise.resolve(ticks) },
    { message: "late", callback: () => Promise.resolve(late) },
  ]);
  peer.receive('2["ticks"]', '2["late"]', "1");
  await vi.waitFor(() => expect(heard).toBe(true), 20_000);
  await vi.waitFor(() => expect(subscribers).toBe(0), 20_000);
});

it("sends a client away whose handleConnection has failed with what cannot be sent", async () => {
  const { peer, socket } = await connect([]);
  const error = Object.assign(new Error("no"), { name: "EventError", code: "NO", data: 5n });
  Connection.of(socket)?.refuse(error);
  expect(socket.connected).toBe(false);
  expect(peer.take().map(String)).toEqual([expect.stringContaining("SIO_INTERNAL_ERROR"), "1"]);
});

it("unknownEvents knows what the program handles by itself", async () => {
  const { socket, peer } = await connect([], { unknownEvents: "ack-error" });
  socket.handle("own", () => "mine");
  peer.receive('21["own"]', '22["other"]');
  await turn();
  const answers = peer.take().map(String);
  expect(answers).toHaveLength(2);
  expect(answers).toContain('31["mine"]');
  expect(answers.find((answer) => answer.startsWith("32"))).toContain("SIO_UNKNOWN_EVENT");
});
