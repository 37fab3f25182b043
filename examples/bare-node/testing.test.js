// @ts-check
// Tests of a small chat, without a port: node --test testing.test.js
import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Server } from "@plugboard/server";
import { closeTestClients, testClient } from "@plugboard/testing";

/** The server under test. A program would go on with `io.listen(3000)`. */
function createChat() {
  const io = new Server();
  const chat = io.of("/chat");
  chat.use((socket, next) => {
    const { name } = socket.handshake.auth;
    if (typeof name !== "string") return next(Object.assign(new Error("who are you?"), { data: { field: "name" } }));
    socket.data.name = name;
    next();
  });
  chat.on("connection", (socket) => {
    socket.emit("welcome", socket.data.name);
    socket.on("say", (text, done) => {
      socket.broadcast.emit("said", { from: socket.data.name, text });
      done({ heardBy: chat.sockets.size - 1 });
    });
    socket.on("take your time", (ms, done) => setTimeout(done, ms, "done"));
  });
  return io;
}

/** @type {Server} */
let io;
beforeEach(() => {
  io = createChat();
});
afterEach(async () => {
  await closeTestClients();
  await io.close();
});

test("what one says the others hear", async () => {
  const ada = await testClient(io, "/chat", { auth: { name: "Ada" } });
  const bob = await testClient(io, "/chat", { auth: { name: "Bob" }, transports: ["websocket"] });
  const heard = once(bob, "said");
  assert.deepEqual(await ada.emitWithAck("say", "hello"), { heardBy: 1 });
  assert.deepEqual(await heard, [{ from: "Ada", text: "hello" }]);
});

test("who has no name is refused", async () => {
  await assert.rejects(testClient(io, "/chat"), { message: "who are you?", data: { field: "name" } });
});

test("everybody is welcome", async () => {
  // Not connected yet: nothing that comes right at the start is missed.
  const ada = await testClient(io, "/chat", { auth: { name: "Ada" }, autoConnect: false });
  const welcomed = once(ada, "welcome");
  ada.connect();
  assert.deepEqual(await welcomed, ["Ada"]);
});

test("an hour passes at once", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const ada = await testClient(io, "/chat", { auth: { name: "Ada" } });
    const answer = ada.emitWithAck("take your time", 3_600_000);
    // In steps of the ping interval: server and client have to hear from each other.
    for (let passed = 0; passed < 3_600_000; passed += 25_000) {
      await new Promise(setImmediate);
      mock.timers.tick(25_000);
    }
    assert.equal(await answer, "done");
    assert.equal(ada.connected, true);
  } finally {
    mock.timers.reset();
  }
});
