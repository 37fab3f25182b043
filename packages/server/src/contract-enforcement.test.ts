import { describe, expect, it, vi } from "vitest";
import { defineEvents } from "@plugboard/contract";
import { z } from "zod";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { contractOf, Server, useContract, type ListenerFailure, type ServerOptions } from "./index.js";

const contract = defineEvents({
  client: {
    "todo:add": { payload: z.object({ text: z.string().max(10) }), ack: z.object({ id: z.number() }) },
    "todo:clear": { ack: z.object({ count: z.number() }) },
    ping: {},
    big: { ack: z.number().transform(async (number) => BigInt(number)) },
    slow: { payload: z.string().refine(async (text) => text !== "bad"), ack: z.string() },
    note: { payload: z.coerce.number() },
  },
  server: {
    "todo:added": { payload: z.object({ id: z.number() }) },
    reload: {},
    question: { payload: z.string(), ack: z.object({ yes: z.boolean() }) },
    later: { payload: z.string().refine(async () => true) },
  },
});

async function serve(options: Partial<ServerOptions> = {}) {
  const engine = new FakeEngine();
  const failures: ListenerFailure[] = [];
  const server = new Server({ onListenerError: (failure) => failures.push(failure), ...options }).bind(engine);
  const io = useContract(server, contract);
  const { connection, sid } = await engine.join();
  connection.take();
  return { io, engine, connection, failures, socket: io.sockets.sockets.get(sid)! };
}

async function ask(connection: FakeConnection, text: string): Promise<unknown[]> {
  connection.receive(text);
  await turn();
  return connection.take().map(String);
}

describe("an event of a client under a contract", () => {
  it("reaches listeners and handlers with what the schema makes of its payload", async () => {
    const { socket, connection } = await serve();
    const heard = vi.fn();
    socket.on("note", heard);
    socket.handle("todo:add", ({ text }) => ({ id: text.length }));
    expect(await ask(connection, '21["todo:add",{"text":"milk","more":1}]')).toEqual(['31[{"id":4}]']);
    expect(await ask(connection, '2["note","5"]')).toEqual([]);
    expect(heard).toHaveBeenCalledExactlyOnceWith(5);
  });

  it("without a payload reaches its handler", async () => {
    const { socket, connection } = await serve();
    socket.handle("todo:clear", () => ({ count: 3 }));
    expect(await ask(connection, '21["todo:clear"]')).toEqual(['31[{"count":3}]']);
  });

  it.each([
    ["has an invalid payload", '["todo:add",{"text":"far too long"}]', "SIO_INVALID_PAYLOAD"],
    ["has no payload", '["todo:add"]', "SIO_INVALID_PAYLOAD"],
    ["has more than its payload", '["todo:add",{"text":"x"},1]', "SIO_INVALID_PAYLOAD"],
    ["has a payload where there is none", '["todo:clear",1]', "SIO_INVALID_PAYLOAD"],
    ["is invalid by a schema that takes its time", '["slow","bad"]', "SIO_INVALID_PAYLOAD"],
    ["is not in the contract", '["todo:remove",1]', "SIO_UNKNOWN_EVENT"],
    ["is one of the server", '["todo:added",{"id":1}]', "SIO_UNKNOWN_EVENT"],
    ["has the name of a member of objects", '["constructor",1]', "SIO_UNKNOWN_EVENT"],
    ["has a number for a name", "[5]", "SIO_UNKNOWN_EVENT"],
  ])("that %s is refused: no listener hears it, and the answer says why", async (_what, event, code) => {
    const { socket, connection } = await serve();
    const heard = vi.fn();
    for (const name of ["todo:add", "todo:clear", "slow"] as const) socket.on(name, heard);
    const errors = vi.fn();
    socket.on("error", errors);
    const [answer] = await ask(connection, `21${event}`);
    expect(JSON.parse(String(answer).slice(2))).toMatchObject([{ status: "error", code }]);
    expect(errors).not.toHaveBeenCalled();
    await ask(connection, `2${event}`);
    expect(errors).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code }));
    expect(heard).not.toHaveBeenCalled();
  });

  it("goes on when a schema took its time, unless the socket is gone by then", async () => {
    const { socket, connection } = await serve();
    const heard = vi.fn((text: string) => text);
    socket.handle("slow", heard);
    expect(await ask(connection, '21["slow","good"]')).toEqual(['31["good"]']);
    connection.receive('21["slow","good"]');
    connection.drop();
    await turn();
    expect(heard).toHaveBeenCalledOnce();
  });

  it("is answered by what the schema makes of the answer, of a listener or a handler", async () => {
    const { socket, connection } = await serve();
    socket.on("todo:add", (_payload, ack) => ack({ id: 1, secret: "x" } as { id: number }));
    expect(await ask(connection, '21["todo:add",{"text":"x"}]')).toEqual(['31[{"id":1}]']);
  });

  it("is answered by an error when the answer is not valid, which the server gets to know", async () => {
    const { socket, connection, failures } = await serve();
    socket.handle("todo:add", () => ({ id: "secret" }) as never);
    expect(await ask(connection, '21["todo:add",{"text":"x"}]')).toEqual([
      '31[{"status":"error","code":"SIO_INVALID_ACK","message":"The answer is not valid"}]',
    ]);
    expect(failures).toMatchObject([{ event: "todo:add", error: { code: "SIO_INVALID_ACK" } }]);
  });

  it("is answered by an error when the answer is valid but cannot be sent, be it late", async () => {
    const { socket, connection, failures } = await serve();
    socket.handle("big", () => 1);
    expect(await ask(connection, '21["big"]')).toEqual([
      '31[{"status":"error","code":"SIO_INVALID_ACK","message":"The answer is not valid"}]',
    ]);
    expect(failures).toMatchObject([{ event: "big", error: expect.any(TypeError) }]);
  });

  it("may be answered by an error", async () => {
    const { socket, connection } = await serve();
    socket.on("todo:add", (_payload, ack) => ack({ status: "error", code: "FULL", message: "full" }));
    expect(await ask(connection, '21["todo:add",{"text":"x"}]')).toEqual([
      '31[{"status":"error","code":"FULL","message":"full"}]',
    ]);
  });

  it("of a package of ours passes: rooms are asked for as ever", async () => {
    const { io, connection } = await serve();
    io.authorize("list/:id", () => true);
    expect(await ask(connection, '21["room:join","list/1"]')).toEqual(['31[{"status":"ok","room":"list/1"}]']);
  });
});

describe("an event of the server under a contract", () => {
  it("is sent as the schema makes it, to one, to a room and to all", async () => {
    const { io, socket, connection } = await serve();
    socket.emit("todo:added", { id: 1, secret: "x" } as { id: number });
    io.emit("todo:added", { id: 2 });
    io.to(socket.id).emit("reload");
    expect(connection.take()).toEqual(['2["todo:added",{"id":1}]', '2["todo:added",{"id":2}]', '2["reload"]']);
  });

  it("that is wrong is not sent: emit throws", async () => {
    const { io, socket, connection } = await serve();
    const untyped = socket as unknown as { emit(...args: unknown[]): boolean };
    const all = io as unknown as { emit(...args: unknown[]): boolean };
    for (const target of [untyped, all]) {
      const emitting =
        (...args: unknown[]) =>
        () =>
          target.emit(...args);
      expect(emitting("todo:added", { id: "1" })).toThrow(expect.objectContaining({ code: "SIO_INVALID_PAYLOAD" }));
      expect(emitting("todo:added")).toThrow(expect.objectContaining({ code: "SIO_INVALID_PAYLOAD" }));
      expect(emitting("reload", 1)).toThrow(expect.objectContaining({ code: "SIO_INVALID_PAYLOAD" }));
      expect(emitting("todo:add", { text: "x" })).toThrow(expect.objectContaining({ code: "SIO_UNKNOWN_EVENT" }));
      expect(emitting("later", "x")).toThrow(expect.objectContaining({ code: "SIO_ASYNC_SCHEMA" }));
    }
    expect(connection.take()).toEqual([]);
  });

  it("gets answers that are valid, or failures", async () => {
    const { socket, connection } = await serve();
    const answers: unknown[] = [];
    socket.emit("question", "ready?", (answer) => answers.push(answer));
    socket.timeout(1000).emit("question", "ready?", (error, answer) => answers.push(error, answer));
    void socket.emitWithAck("question", "ready?").then((answer) => answers.push(answer));
    connection.receive('30[{"yes":true,"more":1}]', '31[{"yes":"perhaps"}]', "32[]");
    await turn();
    const invalid = expect.objectContaining({ status: "error", code: "SIO_INVALID_ACK" });
    expect(answers).toEqual([{ yes: true }, null, invalid, invalid]);
  });

  it("gets a list of answers from many, each valid or a failure", async () => {
    const { io, engine, connection } = await serve();
    const other = await engine.join();
    const answered = io.timeout(1000).emitWithAck("question", "ready?");
    connection.receive('30[{"yes":false}]');
    other.connection.receive('30["yes"]');
    expect(await answered).toEqual([{ yes: false }, expect.objectContaining({ code: "SIO_INVALID_ACK" })]);
  });

  it("gets the error, and no answer, when nobody answers in time", async () => {
    const { io, socket } = await serve();
    await expect(socket.timeout(1).emitWithAck("question", "x")).rejects.toThrow("operation has timed out");
    await expect(io.timeout(1).emitWithAck("question", "x")).rejects.toMatchObject({ responses: [] });
  });
});

describe("a contract", () => {
  it("of a dynamic namespace holds for its children, and for no other namespace", async () => {
    const engine = new FakeEngine();
    const io = new Server({ onListenerError: () => {} }).bind(engine);
    useContract(io.of(/^\/x/), defineEvents({ client: { a: {} } }));
    const heard = vi.fn();
    io.on("connection", (socket) => socket.on("b", heard));
    const child = await engine.join("/x1");
    const main = await engine.join("/");
    expect(await ask(child.connection, '2/x1,1["b"]')).toMatchObject([expect.stringContaining("SIO_UNKNOWN_EVENT")]);
    expect(await ask(main.connection, '21["b"]')).toEqual([]);
    expect(heard).toHaveBeenCalledOnce();
  });

  it("is what its namespace says it is", () => {
    const io = new Server();
    useContract(io, contract);
    expect(contractOf(io.sockets)).toBe(contract);
    expect(contractOf(io.of("/other"))).toBeUndefined();
  });
});
