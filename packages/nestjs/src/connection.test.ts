import { Server, type ServerOptions, type Socket } from "@plugboard/server";
import { defer, Observable } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "../../server/src/fake-engine.js";
import { Connection, type MessageHandler } from "./connection.js";
import { EventFailures } from "./event-failures.js";
import { EventRules } from "./event-rules.js";
import { resolveOptions, type SocketIoOptions } from "./options.js";

const noFilters = (): never => expect.unreachable();

async function connect(
  handlers: readonly MessageHandler[],
  given: SocketIoOptions = {},
  server: Partial<ServerOptions> = {},
  prepare: (connection: Connection) => void = () => {},
): Promise<{ socket: Socket; peer: FakeConnection }> {
  const engine = new FakeEngine();
  const io = new Server(server).bind(engine);
  const { connection: peer, sid } = await engine.join();
  peer.take();
  const socket = io.sockets.sockets.get(sid) as Socket;
  const options = resolveOptions(given).own;
  const failures = new EventFailures(options);
  const rules = new EventRules([], options.concurrency);
  const connection = new Connection(socket, { options, failures, contextCreator: noFilters, track: () => {} }, rules);
  connection.addHandlers(handlers);
  prepare(connection);
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

describe("a client whose events wait", () => {
  /** 900 bytes, of which 64 times 100 may wait. */
  const upload = `2["upload","${"x".repeat(900)}"]`;
  const server = { maxHttpBufferSize: 100 };

  it("is disconnected when they are too many bytes before handleConnection is over", async () => {
    const { socket, peer } = await connect([{ message: "upload", callback: () => {} }], {}, server, (connection) =>
      connection.connecting({}, {}, {}, () => new Promise(() => {})),
    );
    peer.receive(...Array<string>(6).fill(upload));
    expect(socket.connected).toBe(true);
    peer.receive(upload);
    expect(socket.connected).toBe(false);
  });

  it("is disconnected when they are too many bytes before it is their turn, without those that have had theirs", async () => {
    let handled = 0;
    let gate = Promise.resolve();
    const callback = (): Promise<unknown> => gate.then(() => handled++);
    const { socket, peer } = await connect([{ message: "upload", callback }], { concurrency: 1 }, server);
    peer.receive(...Array<string>(7).fill(upload));
    await vi.waitFor(() => expect(handled).toBe(7));
    gate = new Promise(() => {});
    peer.receive(...Array<string>(7).fill(upload));
    expect(socket.connected).toBe(true);
    peer.receive(upload);
    expect(socket.connected).toBe(false);
  });
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
