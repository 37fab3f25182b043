import { Server, type Socket } from "@plugboard/server";
import { describe, expect, it } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "../../server/src/fake-engine.js";
import { Connection, type MessageHandler } from "./connection.js";
import { EventFailures } from "./event-failures.js";
import { EventRules } from "./event-rules.js";
import { resolveOptions, type SocketIoOptions } from "./options.js";

const noFilters = (): never => expect.unreachable();

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
  const connection = new Connection(
    socket,
    { options, failures, contextCreator: noFilters, track: () => {} },
    new EventRules([], Infinity),
  );
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
