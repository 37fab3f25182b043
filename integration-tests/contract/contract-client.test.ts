import { type ContractClientOptions, contractClient, defineEvents, EventError } from "@plugboard/contract";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { bothClients } from "../support/both-clients.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";

const slow = async (): Promise<boolean> => new Promise((resolve) => setImmediate(resolve, true));

const contract = defineEvents({
  client: {
    add: { payload: z.object({ title: z.string().trim().min(1) }), ack: z.object({ at: z.coerce.date() }) },
    count: { ack: z.number() },
    find: { payload: z.string().optional(), ack: z.array(z.string()).optional() },
    later: { payload: z.string().min(1).refine(slow), ack: z.string().refine(slow) },
    hello: {},
  },
  server: {
    added: { payload: z.object({ title: z.string(), at: z.coerce.date() }) },
    ask: { payload: z.string(), ack: z.object({ yes: z.boolean() }) },
    wait: { payload: z.number().refine(slow), ack: z.number().refine(slow) },
    bye: {},
  },
});

// These servers know nothing of the contract: what they send is as right or wrong as a test wants it.
interopSuite("a client with a contract", ({ startServer }) => {
  describe.each(bothClients)("through $name", ({ connect }) => {
    async function start(options?: ContractClientOptions) {
      const { io, url } = await startServer();
      const connection = nextEvent<[InteropSocket]>(io, "connection");
      const socket = await connect(url);
      const [peer] = await connection;
      const events: unknown[][] = [];
      peer.onAny((...event) => events.push(event.filter((value: unknown) => typeof value !== "function")));
      /** Resolves once the server has all that was sent before, and the client all that the server had sent before. */
      const settled = async () => void (await socket.emitWithAck("settle"));
      peer.on("settle", (ack) => ack());
      return { client: contractClient(socket, contract, options), socket, peer, events, settled };
    }

    it("sends what it was given, once that is checked", async () => {
      const { client, events, settled } = await start();
      client.emit("add", { title: " Tea " });
      client.emit("hello");
      client.emit("find", "a");
      client.emit("find");
      client.emit("find", undefined);
      await settled();
      expect(events.slice(0, -1)).toEqual([["add", { title: " Tea " }], ["hello"], ["find", "a"], ["find"], ["find"]]);
    });

    it("does not send an invalid payload", async () => {
      const { client, events, settled } = await start();
      const invalid = { code: "SIO_INVALID_PAYLOAD", message: expect.stringMatching(/^Invalid payload at title: ./) };
      expect(() => client.emit("add", { title: " " })).toThrow(expect.objectContaining(invalid));
      await expect(client.emitWithAck("add", { title: " " })).rejects.toMatchObject(invalid);
      await settled();
      expect(events).toEqual([["settle"]]);
    });

    it("does not send, nor hear, what the contract does not know", async () => {
      const { client, events, settled } = await start();
      const unknown = expect.objectContaining({ code: "SIO_UNKNOWN_EVENT" });
      for (const name of ["added", "constructor", "__proto__"]) {
        expect(() => client.emit(name as "hello")).toThrow(unknown);
        await expect(client.emitWithAck(name as "count")).rejects.toEqual(unknown);
      }
      expect(() => client.on("add" as "bye", () => {})).toThrow(unknown);
      await settled();
      expect(events).toEqual([["settle"]]);
    });

    it("resolves with what the schema makes of an answer", async () => {
      const { client, peer } = await start();
      peer.on("add", (_payload, ack) => ack({ at: "2030-01-01T00:00:00.000Z" }));
      peer.on("find", (...args) => args.at(-1)(...args.slice(0, -1).map((text) => [text])));
      await expect(client.emitWithAck("add", { title: "Tea" })).resolves.toEqual({ at: new Date("2030-01-01") });
      await expect(client.emitWithAck("find", "a")).resolves.toEqual(["a"]);
      await expect(client.emitWithAck("find")).resolves.toBeUndefined();
    });

    it("rejects when the answer tells of a failure", async () => {
      const { client, peer } = await start();
      peer.on("count", (ack) =>
        ack({ status: "error", code: "TOO_MANY", message: "cannot count them", data: { n: 1e9 } }),
      );
      const error: unknown = await client.emitWithAck("count").catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EventError);
      expect(error).toMatchObject({ code: "TOO_MANY", message: "cannot count them", data: { n: 1e9 } });
    });

    it("rejects when the answer is not what the contract says", async () => {
      const { client, peer } = await start();
      peer.on("count", (ack) => ack("3"));
      await expect(client.emitWithAck("count")).rejects.toMatchObject({
        code: "SIO_INVALID_ACK",
        message: expect.stringMatching(/^Invalid acknowledgement: ./),
      });
    });

    it("rejects as the socket does when no answer comes", async () => {
      const { client, peer } = await start();
      peer.on("count", () => peer.disconnect());
      await expect(client.emitWithAck("count")).rejects.toThrow("socket has been disconnected");
    });

    it("hears what the schema makes of a payload", async () => {
      const { client, peer, settled } = await start();
      const heard: unknown[] = [];
      client.on("added", (...args) => heard.push(args)).on("bye", (...args) => heard.push(args));
      peer.emit("added", { title: "Tea", at: "2030-01-01", secret: 1 });
      peer.emit("bye", "not in the contract");
      await settled();
      expect(heard).toEqual([[{ title: "Tea", at: new Date("2030-01-01") }], []]);
    });

    it("does not hear an invalid payload, onInvalid does", async () => {
      const onInvalid = vi.fn<NonNullable<ContractClientOptions["onInvalid"]>>();
      const listener = vi.fn<() => void>();
      const { client, peer, settled } = await start({ onInvalid });
      client.on("added", listener);
      peer.emit("added", { title: 1, at: "2030-01-01" });
      peer.emit("added");
      await settled();
      expect(listener).not.toHaveBeenCalled();
      const error = expect.objectContaining({ name: "EventError", code: "SIO_INVALID_PAYLOAD" });
      expect(onInvalid.mock.calls).toEqual([
        [error, "added", { title: 1, at: "2030-01-01" }],
        [error, "added", undefined],
      ]);
    });

    it("warns of invalid payloads by default, once for each event", async () => {
      const warn = vi.spyOn(console, "warn").mockReturnValue();
      try {
        const { client, peer, settled } = await start();
        client.on("added", () => {}).on("ask", () => ({ yes: true }));
        for (const payload of [1, 2]) peer.emit("added", payload);
        peer.emit("ask", 1);
        await settled();
        expect(warn.mock.calls).toEqual([
          [expect.stringMatching(/^"added" is not what the contract says: Invalid payload: ./)],
          [expect.stringMatching(/^"ask" is not what the contract says: Invalid payload: ./)],
        ]);
      } finally {
        warn.mockRestore();
      }
    });

    it("answers with what the listener returns or promises, as it was given", async () => {
      const { client, peer } = await start();
      client.on("ask", (text) => ({ yes: text === "a" }));
      await expect(peer.emitWithAck("ask", "a")).resolves.toEqual({ yes: true });
      client.off("ask").on("ask", async (text) => ({ yes: text === "b" }));
      await expect(peer.emitWithAck("ask", "a")).resolves.toEqual({ yes: false });
    });

    it("answers an invalid payload with the error", async () => {
      const { client, peer } = await start({ onInvalid() {} });
      client.on("ask", () => ({ yes: true }));
      await expect(peer.emitWithAck("ask", 1)).resolves.toMatchObject({
        status: "error",
        code: "SIO_INVALID_PAYLOAD",
        data: { issues: [{ path: [] }] },
      });
    });

    it("answers with an error when the listener's answer is invalid, and tells onInvalid", async () => {
      const onInvalid = vi.fn<NonNullable<ContractClientOptions["onInvalid"]>>();
      const { client, peer } = await start({ onInvalid });
      client.on("ask", () => ({ yes: "certainly" }) as never);
      await expect(peer.emitWithAck("ask", "a")).resolves.toMatchObject({ status: "error", code: "SIO_INVALID_ACK" });
      expect(onInvalid.mock.calls).toEqual([
        [expect.objectContaining({ code: "SIO_INVALID_ACK" }), "ask", { yes: "certainly" }],
      ]);
    });

    it("answers with the EventError that the listener throws, or with the failure that it returns", async () => {
      const { client, peer } = await start();
      client.on("ask", async () => {
        throw new EventError("BUSY", "not now", { minutes: 5 });
      });
      const failure = { status: "error", code: "BUSY", message: "not now", data: { minutes: 5 } } as const;
      await expect(peer.emitWithAck("ask", "a")).resolves.toEqual(failure);
      client.off("ask").on("ask", () => failure);
      await expect(peer.emitWithAck("ask", "a")).resolves.toEqual(failure);
    });

    it("answers, with nothing, events that the contract does not want answered", async () => {
      const { client, peer } = await start();
      client.on("bye", () => "secret");
      const answers = await new Promise((resolve) => {
        peer.emit("bye", (...args: unknown[]) => resolve(args));
      });
      expect(answers).toEqual([]);
    });

    it("removes the listener that is named, or all that it added, and none of the socket's own", async () => {
      const { client, socket, peer, settled } = await start();
      const heard: string[] = [];
      const first = () => heard.push("first");
      socket.on("bye", () => heard.push("socket"));
      client.on("bye", first).on("bye", () => heard.push("second"));
      peer.emit("bye");
      await settled();
      client.off("bye", first);
      peer.emit("bye");
      await settled();
      client.off("bye");
      peer.emit("bye");
      await settled();
      expect(heard).toEqual(["socket", "first", "second", "socket", "second", "socket"]);
    });

    it("hears an event once, the first that is valid", async () => {
      const { client, socket, peer, settled } = await start({ onInvalid() {} });
      const heard: unknown[] = [];
      client.once("added", ({ title }) => heard.push(title));
      client.once("wait", (count) => {
        heard.push(count);
        return count;
      });
      const removed = () => heard.push("removed");
      client.once("bye", removed).off("bye", removed);
      for (const title of [1, "Tea", "Cake"]) peer.emit("added", { title, at: "2030-01-01" });
      peer.emit("bye");
      await peer.emitWithAck("wait", 1);
      await settled();
      expect(heard).toEqual(["Tea", 1]);
      for (const event of ["added", "bye", "wait"]) expect(socket.listeners(event)).toEqual([]);
    });

    it("hears once also when several payloads are validated at the same time, and answers no other", async () => {
      const { client, peer, settled } = await start();
      const answers: string[] = [];
      client.once("wait", (count) => count);
      peer.emit("wait", 2, (answer: number) => answers.push(`to 2: ${answer}`));
      peer.emit("wait", 3, (answer: number) => answers.push(`to 3: ${answer}`));
      await settled();
      await expect.poll(() => answers).toEqual(["to 2: 2"]);
      await settled();
      expect(answers).toEqual(["to 2: 2"]);
    });

    it("waits for asynchronous schemas in both directions", async () => {
      const onInvalid = vi.fn<NonNullable<ContractClientOptions["onInvalid"]>>();
      const { client, peer, events } = await start({ onInvalid });
      peer.on("later", (text, ack) => ack?.(text));
      client.on("wait", async (count) => count + 1);

      await expect(client.emitWithAck("later", "a")).resolves.toBe("a");
      await expect(client.emitWithAck("later", "")).rejects.toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
      await expect(peer.emitWithAck("wait", 1)).resolves.toBe(2);
      await expect(peer.emitWithAck("wait", "1")).resolves.toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
      client.emit("later", "");
      const arrived = nextEvent(peer, "later");
      client.emit("later", "b");
      expect((await arrived)[0]).toBe("b");
      expect(events).toEqual([
        ["later", "a"],
        ["later", "b"],
      ]);
      expect(onInvalid.mock.calls.map(([error, event, value]) => [error.code, event, value])).toEqual([
        ["SIO_INVALID_PAYLOAD", "wait", "1"],
        ["SIO_INVALID_PAYLOAD", "later", ""],
      ]);
    });

    it("keeps the order of the calls where schemas are synchronous", async () => {
      const { client, peer, events } = await start();
      peer.on("count", (ack) => ack(1));
      client.emit("hello");
      const count = client.emitWithAck("count");
      client.emit("hello");
      await count;
      await client.emitWithAck("count");
      expect(events).toEqual([["hello"], ["count"], ["hello"], ["count"]]);
    });
  });
});
