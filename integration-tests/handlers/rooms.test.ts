import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";

describe.each(bothClients)("with $name, the example of rooms", ({ connect }) => {
  it("lets clients join what is theirs, and nothing else", async () => {
    const example = await startExample("bare-node/rooms.js");
    const ada = await connect(example.url, { auth: { user: "ada" } });
    const bob = await connect(example.url, { auth: { user: "bob" } });
    expect(await ada.emitWithAck("room:join", "orders/1")).toEqual({ status: "ok", room: "orders/1" });
    expect(await bob.emitWithAck("room:join", "orders/1")).toMatchObject({ status: "error", code: "SIO_FORBIDDEN" });
    expect(await bob.emitWithAck("room:join", ada.id)).toMatchObject({ code: "SIO_FORBIDDEN" });
    expect(await bob.emitWithAck("room:join", "news/en")).toEqual({ status: "ok", room: "news/en" });
    const overheard: unknown[] = [];
    bob.on("order:shipped", (id) => overheard.push(id));
    const shipped = nextEvent(ada, "order:shipped");
    await bob.emitWithAck("order:ship", "1");
    expect(await shipped).toEqual(["1"]);
    await ada.emitWithAck("room:leave", "orders/1");
    ada.on("order:shipped", (id) => overheard.push(id));
    await bob.emitWithAck("order:ship", "1");
    await ada.emitWithAck("room:join", "news/en");
    expect(overheard).toEqual([]);
  });
});
