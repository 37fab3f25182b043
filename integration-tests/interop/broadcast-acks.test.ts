import { expect, it, onTestFinished, vi } from "vitest";
import { connectClient, connectPair } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";

type Reply = (...args: unknown[]) => void;
interface Answer {
  error: Error | null;
  responses: unknown[];
}

/** Three clients, over each transport and an upgrade, which answer `question` with their name. */
async function threeAnsweringClients(server: ListeningServer) {
  const ends = [
    await connectPair(server, { travel: "polling" }),
    await connectPair(server, { travel: "websocket" }),
    await connectPair(server, { travel: "upgrade" }),
  ];
  for (const [index, { client }] of ends.entries()) {
    client.on("question", (reply: Reply) => reply(`client ${index}`, "dropped"));
  }
  return ends;
}

interopSuite("broadcasts with acks", ({ startServer }) => {
  it("collects the first argument of every answer", async () => {
    const server = await startServer();
    await threeAnsweringClients(server);

    const answer = await new Promise<Answer>((resolve) => {
      server.io
        .timeout(5000)
        .emit("question", (error: Error | null, responses: unknown[]) => resolve({ error, responses }));
    });

    expect(answer.error).toBeNull();
    expect(answer.responses.toSorted()).toEqual(["client 0", "client 1", "client 2"]);
  });

  it("resolves emitWithAck with the answers of all targets", async () => {
    const server = await startServer();
    const [first] = await threeAnsweringClients(server);

    const all = await server.io.timeout(5000).emitWithAck("question");
    const others = await first?.socket.broadcast.timeout(5000).emitWithAck("question");

    expect(all.toSorted()).toEqual(["client 0", "client 1", "client 2"]);
    expect(others?.toSorted()).toEqual(["client 1", "client 2"]);
  });

  it("asks only the room it was sent to", async () => {
    const server = await startServer();
    const ends = await threeAnsweringClients(server);
    await ends[1]?.socket.join("asked");

    expect(await server.io.to("asked").timeout(5000).emitWithAck("question")).toEqual(["client 1"]);
    expect(await server.io.except("asked").timeout(5000).emitWithAck("question")).toHaveLength(2);
  });

  it("collects binary answers", async () => {
    const server = await startServer();
    for (const travel of ["polling", "websocket"] as const) {
      const client = await connectClient(server.url, { travel });
      client.on("bytes", (bytes: Buffer, reply: Reply) => reply(Buffer.concat([bytes, bytes])));
    }

    const answers = await server.io.timeout(5000).emitWithAck("bytes", Buffer.from([1, 2]));

    expect(answers).toEqual([Buffer.from([1, 2, 1, 2]), Buffer.from([1, 2, 1, 2])]);
  });

  it("gives the answers that came in time together with the error of those that did not", async () => {
    const server = await startServer();
    const ends = await threeAnsweringClients(server);
    ends[2]?.client.off("question");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    // What a client sends behind its answers has come, and so have these.
    const answered = ends.slice(0, 2).map(({ client, socket }) => {
      client.on("all asked", () => client.emit("all answered"));
      return nextEvent(socket, "all answered");
    });

    const called = new Promise<Answer>((resolve) => {
      server.io
        .timeout(20_000)
        .emit("question", (error: Error | null, responses: unknown[]) => resolve({ error, responses }));
    });
    const failed = server.io
      .timeout(20_000)
      .emitWithAck("question")
      .catch((reason: unknown) => reason);
    server.io.emit("all asked");
    await Promise.all(answered);
    vi.advanceTimersByTime(20_000);

    const [answer, rejected] = [await called, await failed];
    expect(answer.error?.message).toBe("operation has timed out");
    expect(answer.responses.toSorted()).toEqual(["client 0", "client 1"]);
    expect(rejected).toBeInstanceOf(Error);
    expect(rejected).toMatchObject({ message: "operation has timed out" });
    expect((rejected as { responses: unknown[] }).responses.toSorted()).toEqual(["client 0", "client 1"]);
  });

  it("answers at once, with nothing, when there is nobody to ask", async () => {
    const server = await startServer();

    const answer = await new Promise<unknown[]>((resolve) => {
      server.io
        .to("empty")
        .timeout(60_000)
        .emit("question", (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([null, []]);
    expect(await server.io.timeout(60_000).emitWithAck("question")).toEqual([]);
  });

  it("asks one remote socket and resolves with its one answer", async () => {
    const server = await startServer();
    await threeAnsweringClients(server);

    const sockets = await server.io.fetchSockets();
    const answers = await Promise.all(sockets.map((remote) => remote.timeout(5000).emitWithAck("question")));

    expect(answers.toSorted()).toEqual(["client 0", "client 1", "client 2"]);
  });
});
