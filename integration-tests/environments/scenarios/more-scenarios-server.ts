import type { InteropServer } from "../../support/interop-implementation.js";

/** The other end of the scenarios of this folder. */
export function serveMoreScenarios(io: InteropServer): void {
  io.on("connection", (socket) => {
    const lengths: number[] = [];
    socket.on("how do I travel", (answer) => answer(socket.conn.transport.name));
    socket.on("what is my token", (answer) => answer(socket.handshake.headers["x-token"]));
    socket.on("say last", () => socket.emit("last"));
    socket.on("measure", (text: string) => lengths.push(text.length));
    socket.on("measured", (answer) => answer(lengths));
    socket.on("burst", (count: number, done: () => void) => {
      for (let index = 0; index < count; index++) socket.emit("one of many", index);
      done();
    });
    // A packet of a type that does not exist.
    socket.on("talk nonsense", () => socket.conn.write("9"));
  });
}
