import type { InteropServer, InteropSocket } from "../../support/interop-implementation.js";

/** Lets a server play the other end of the scenarios, for any number of clients at once. */
export function serveScenarios(io: InteropServer): void {
  /** How often each word was tried. */
  const tries = new Map<string, number>();

  io.use((socket, next) => {
    const { refused } = socket.handshake.auth;
    next(refused === undefined ? undefined : Object.assign(new Error(refused), { data: { code: 7 } }));
  });

  const serve = (socket: InteropSocket): void => {
    socket.on("echo", (...args: unknown[]) => {
      const answer = args.at(-1);
      if (typeof answer === "function") answer(...args.slice(0, -1));
      else socket.emit("echo", ...args);
    });
    socket.on("about me", (answer) => {
      const { auth, query } = socket.handshake;
      answer({ id: socket.id, nsp: socket.nsp.name, auth, query, transport: socket.conn.transport.name });
    });
    socket.on("ask me", (question, answer) => socket.emit("question", question, answer));
    socket.on("never answer", () => {});
    // Answers, with the number of tries before, once there were enough of them.
    socket.on("answer later", (word: string, enough: number, answer: (before: number) => void) => {
      const before = tries.get(word) ?? 0;
      tries.set(word, before + 1);
      if (before >= enough) answer(before);
    });
    socket.on("join", async (room, done) => {
      await socket.join(room);
      done();
    });
    socket.on("leave", async (room, done) => {
      await socket.leave(room);
      done();
    });
    socket.on("tell room", (room, ...args) => socket.nsp.to(room).emit("told", ...args));
    socket.on("send me away", () => socket.disconnect());
    socket.on("cut me off", () => socket.conn.close());
    // Cuts the connection and says something that only a recovered session will hear.
    socket.on("miss", (...args) => {
      const { id, nsp } = socket;
      socket.once("disconnect", () => nsp.to(id).emit("missed", ...args));
      socket.conn.close();
    });
  };

  io.on("connection", serve);
  io.of("/other").on("connection", serve);
}
