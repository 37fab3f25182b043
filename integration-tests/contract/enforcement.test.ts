import { contractClient, defineEvents, EventError } from "@plugboard/contract";
import { useContract, type Server } from "@plugboard/server";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { serve } from "../support/serve.js";
import { libraries } from "./libraries.js";

/** Our server, with the errors that no client is told of. */
async function start() {
  const failures: unknown[] = [];
  const { io, url } = await serve({ onListenerError: ({ error }) => failures.push(error) });
  return { io: io as unknown as Server, url, failures };
}

describe.each(bothClients)("a server with a contract and $name", ({ connect }) => {
  describe.each(libraries)("over schemas of $name", ({ todo, created }) => {
    const contract = defineEvents({
      client: { "todo:add": { payload: todo, ack: created } },
      server: { "todo:added": { payload: todo }, "todo:confirm": { payload: todo, ack: created } },
    });

    async function connected() {
      const { io, url, failures } = await start();
      const server = useContract(io, contract);
      const heard: unknown[] = [];
      server.handle("todo:add", (payload, { socket }) => {
        heard.push(payload);
        socket.broadcast.emit("todo:added", payload);
        return { id: heard.length };
      });
      const socket = await connect(url);
      return { server, url, socket, client: contractClient(socket, contract), heard, failures };
    }

    it("answers a valid event, which others hear of", async () => {
      const { url, socket, client, heard } = await connected();
      const other = contractClient(await connect(url), contract);
      const added = new Promise((resolve) => other.on("todo:added", resolve));
      expect(await socket.emitWithAck("todo:add", { title: "Tea", tags: [] })).toEqual({ id: 1 });
      expect(await added).toEqual({ title: "Tea", tags: [] });
      expect(await client.emitWithAck("todo:add", { title: "Cake", tags: ["sweet"] })).toEqual({ id: 2 });
      expect(heard).toEqual([
        { title: "Tea", tags: [] },
        { title: "Cake", tags: ["sweet"] },
      ]);
    });

    it("refuses an invalid one, and says where it is invalid", async () => {
      const { socket, client, heard } = await connected();
      const refusal = {
        code: "SIO_INVALID_PAYLOAD",
        message: expect.stringMatching(/^Invalid payload at tags\[0\]: ./),
        data: { issues: [{ path: ["tags", 0], message: expect.any(String) }] },
      };
      expect(await socket.emitWithAck("todo:add", { title: "Tea", tags: [1] })).toEqual({
        status: "error",
        ...refusal,
      });
      await expect(client.emitWithAck("todo:add", { title: "Tea", tags: [1 as never] })).rejects.toMatchObject(refusal);
      expect(await socket.emitWithAck("todo:add")).toMatchObject({ status: "error", code: "SIO_INVALID_PAYLOAD" });
      expect(heard).toEqual([]);
    });

    it("sends no invalid event", async () => {
      const { server, socket } = await connected();
      const heard = vi.fn<() => void>();
      socket.on("todo:added", heard);
      expect(() => server.emit("todo:added", { title: "", tags: [] })).toThrow(
        expect.objectContaining({ code: "SIO_INVALID_PAYLOAD" }),
      );
      await socket.emitWithAck("todo:add");
      expect(heard).not.toHaveBeenCalled();
    });

    it("takes no invalid answer from a client", async () => {
      const { server, socket } = await connected();
      socket.on("todo:confirm", (_payload, ack) => ack({ id: "first" }));
      const [answer] = await server.timeout(10_000).emitWithAck("todo:confirm", { title: "Tea", tags: [] });
      expect(answer).toMatchObject({ status: "error", code: "SIO_INVALID_ACK", data: { issues: [{ path: ["id"] }] } });
    });

    it("gives no invalid answer, and tells the server which it was", async () => {
      const { io, url, failures } = await start();
      useContract(io, contract).handle("todo:add", () => ({ id: 1.5 }));
      const socket = await connect(url);
      const failure = { status: "error", code: "SIO_INVALID_ACK", message: "The answer is not valid" };
      expect(await socket.emitWithAck("todo:add", { title: "Tea", tags: [] })).toEqual(failure);
      await expect(
        contractClient(socket, contract).emitWithAck("todo:add", { title: "Tea", tags: [] }),
      ).rejects.toMatchObject({ code: "SIO_INVALID_ACK", message: "The answer is not valid" });
      expect(failures).toEqual(Array(2).fill(expect.objectContaining({ message: expect.stringMatching(/ at id: ./) })));
    });
  });

  const contract = defineEvents({
    client: {
      at: { payload: z.coerce.date(), ack: z.coerce.date() },
      find: { payload: z.string().optional(), ack: z.string().optional() },
      done: { ack: z.undefined() },
      rename: { payload: z.string().trim().min(1) },
      fail: { ack: z.string() },
    },
    server: {
      at: { payload: z.coerce.date(), ack: z.coerce.date() },
      maybe: { payload: z.string().optional(), ack: z.string().optional() },
    },
  });

  async function bothEnds() {
    const { io, url, failures } = await start();
    const server = useContract(io, contract);
    const socket = await connect(url);
    const [peer] = [...server.sockets.sockets.values()];
    if (peer === undefined) throw new Error("nobody is connected");
    return { peer, socket, client: contractClient(socket, contract), failures };
  }

  it("gives both ends what the schemas make of what they send each other", async () => {
    const { peer, client } = await bothEnds();
    const start = new Date("2030-01-01T00:00:00Z");
    const dayAfter = (day: Date) => new Date(day.getTime() + 86_400_000);
    peer.handle("at", dayAfter);
    client.on("at", dayAfter);
    expect(await client.emitWithAck("at", start)).toEqual(dayAfter(start));
    expect(await peer.emitWithAck("at", start)).toEqual(dayAfter(start));
  });

  it("carries that there is no payload and no answer, where the schemas allow it", async () => {
    const { peer, client } = await bothEnds();
    peer.handle("find", (text) => text).handle("done", () => undefined);
    client.on("maybe", (text) => text);
    expect(await client.emitWithAck("find", "a")).toBe("a");
    expect(await client.emitWithAck("find")).toBeUndefined();
    expect(await client.emitWithAck("find", undefined)).toBeUndefined();
    expect(await client.emitWithAck("done")).toBeUndefined();
    expect(await peer.emitWithAck("maybe", "a")).toBe("a");
    expect(await peer.emitWithAck("maybe", undefined)).toBeUndefined();
  });

  it("tells listeners of errors of an invalid event that waits for no answer", async () => {
    const { peer, socket, client } = await bothEnds();
    const failed = nextEvent(peer, "error");
    const renamed = nextEvent(peer, "rename");
    socket.emit("rename", "  ");
    expect(await failed).toEqual([expect.objectContaining({ name: "EventError", code: "SIO_INVALID_PAYLOAD" })]);
    client.emit("rename", " b ");
    expect(await renamed).toEqual(["b"]);
  });

  it("rejects on the client with what the handler threw for it to read, and with nothing else", async () => {
    const { peer, client, failures } = await bothEnds();
    const mistake = new Error("secret");
    const errors = [new EventError("LOCKED", "it is locked", { until: "noon" }), mistake];
    peer.handle("fail", () => Promise.reject(errors.shift()));
    await expect(client.emitWithAck("fail")).rejects.toMatchObject({
      name: "EventError",
      code: "LOCKED",
      message: "it is locked",
      data: { until: "noon" },
    });
    await expect(client.emitWithAck("fail")).rejects.toMatchObject({
      code: "SIO_INTERNAL_ERROR",
      message: "Internal server error",
    });
    expect(failures).toEqual([mistake]);
  });
});
