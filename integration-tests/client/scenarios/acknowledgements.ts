import { expectEqual } from "./expect-equal.js";
import { scenario, type Scenario } from "./scenario.js";

let count = 0;

/** Something no other client has told the server about. */
function newWord(): string {
  return `${Date.now()} ${Math.random()} ${++count}`;
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was rejected");
}

export const acknowledgements: Record<string, Scenario> = {
  "is answered, with bytes too": scenario(async ({ connect }) => {
    const socket = await connect();
    const answer = await new Promise((resolve) => {
      socket.emit("echo", 1, Uint8Array.of(2), (...args: unknown[]) => resolve(args));
    });

    expectEqual(answer, [1, Uint8Array.of(2)]);
    expectEqual(await socket.emitWithAck("echo", { a: [Uint8Array.of(3)] }), { a: [Uint8Array.of(3)] });
    expectEqual(await socket.emitWithAck("echo"), undefined);
  }),

  "answers the server": scenario(async ({ connect }) => {
    const socket = await connect();
    socket.on("question", (question, reply) => reply(question, Uint8Array.of(1), false));

    const answer = await new Promise((resolve) => {
      socket.emit("ask me", "?", (...args: unknown[]) => resolve(args));
    });
    expectEqual(answer, ["?", Uint8Array.of(1), false]);
  }),

  "waits for an answer no longer than it was told to": scenario(async ({ connect }) => {
    const socket = await connect();

    expectEqual(await rejection(socket.timeout(30).emitWithAck("never answer")), "operation has timed out");
    expectEqual(await socket.timeout(10_000).emitWithAck("echo", 1), 1);
  }),

  "loses its answers with the connection": scenario(async ({ connect }) => {
    const socket = await connect();
    const lost = rejection(socket.emitWithAck("never answer"));
    socket.emit("cut me off");

    expectEqual(await lost, "socket has been disconnected");
  }),

  "sends again until it is answered": scenario(async ({ connect }) => {
    const socket = await connect({ retries: 3, ackTimeout: 150 });
    const before = (await socket.emitWithAck("answer later", newWord(), 1)) as number;

    // More than once where a slow machine answers late.
    expectEqual(before >= 1, true, `answered after ${before} tries`);
  }),

  "gives up after the last retry": scenario(async ({ connect }) => {
    const socket = await connect({ retries: 1, ackTimeout: 150 });
    const word = newWord();

    expectEqual(await rejection(socket.emitWithAck("answer later", word, 2)), "operation has timed out");
    expectEqual(await socket.timeout(5000).emitWithAck("answer later", word, 2), 2, "tries before");
  }),
};
