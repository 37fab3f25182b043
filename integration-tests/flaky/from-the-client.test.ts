import { describe, expect, it } from "vitest";
import { clients } from "../client/support/clients.js";
import { nextEvent } from "../support/next-event.js";
import { openScene } from "./scene.js";

/** What docs/reliability.md says of messages to the server, one connection at a time. */
describe.each(clients)("a message that $name sends", (implementation) => {
  const retrying = { retries: 5, ackTimeout: 5_000 };

  it("without retries is lost when it is on its way while the connection is lost, which an error tells", async () => {
    const { client, proxy, heard, cut, settled } = await openScene(implementation);
    proxy.links[0]!.stall("up");
    client.emit("say", "told nobody");
    const plain: unknown[] = [];
    client.emit("say", "asked", (...answer: unknown[]) => plain.push(answer));
    const timed = client.timeout(5_000).emitWithAck("say", "asked in time");
    const untimed = client.emitWithAck("say", "asked");
    const message = "socket has been disconnected";
    await Promise.all([expect(timed).rejects.toThrow(message), expect(untimed).rejects.toThrow(message), cut()]);
    await settled();
    expect(heard).toEqual([]);
    expect(plain).toEqual([]);
  });

  it("without retries is sent in order once there is a connection, if there was none", async () => {
    const { client, proxy, heard, settled } = await openScene(implementation);
    const lost = nextEvent(client, "disconnect");
    proxy.refuse();
    proxy.links[0]!.reset();
    await lost;
    client.emit("say", "first");
    // The published client keeps it when the last connection had nothing under way.
    if (implementation.ours) client.volatile.emit("say", "volatile");
    const second = client.emitWithAck("say", "second");
    proxy.accept();
    expect(await second).toBe("second");
    await settled();
    expect(heard).toEqual(["first", "second"]);
  });

  it("with retries arrives although it was on its way while the connection was lost, and those after it wait", async () => {
    const { client, proxy, heard, cut } = await openScene(implementation, {}, retrying);
    proxy.links[0]!.stall("up");
    const answers = Promise.all([client.emitWithAck("say", "first"), client.emitWithAck("say", "second")]);
    client.volatile.emit("say", "volatile");
    await cut();
    expect(await answers).toEqual(["first", "second"]);
    expect(heard).toEqual(["first", "second"]);
  });

  it("with retries arrives twice when its answer was lost, and is answered once", async () => {
    const { client, proxy, heard, cut, server } = await openScene(implementation, {}, retrying);
    proxy.links[0]!.stall("down");
    const answers: unknown[][] = [];
    client.emit("say", "first", (...answer: unknown[]) => answers.push(answer));
    await nextEvent([...server.io.sockets.sockets.values()][0]!, "say");
    await cut();
    expect(await client.emitWithAck("say", "second")).toBe("second");
    expect(heard).toEqual(["first", "first", "second"]);
    expect(answers).toEqual([[null, "first"]]);
  });

  it("with retries may arrive again after later ones, when an old connection comes back to life", async () => {
    const { client, proxy, heard, socket } = await openScene(implementation, {}, retrying);
    const [old] = proxy.links;
    old!.stall("up");
    const first = client.emitWithAck("say", "first");
    const back = nextEvent(client, "connect");
    client.io.engine.close();
    await back;
    await first;
    await client.emitWithAck("say", "second");
    const late = nextEvent(socket, "say");
    old!.resume("up");
    await late;
    expect(heard).toEqual(["first", "second", "first"]);
  });

  it("with retries is given up after so many lost connections, which an error tells, and the next one is sent", async () => {
    const { client, proxy, server } = await openScene(implementation, {}, { ...retrying, retries: 2 });
    let tries = 0;
    const cutAtOnce = (): void => {
      tries++;
      for (const link of proxy.links) link.reset();
    };
    for (const socket of server.io.sockets.sockets.values()) socket.on("unlucky", cutAtOnce);
    server.io.on("connection", (socket) => socket.on("unlucky", cutAtOnce));
    await expect(client.emitWithAck("unlucky")).rejects.toThrow("socket has been disconnected");
    expect(await client.emitWithAck("say", "next")).toBe("next");
    expect(tries).toBe(3);
  });
});
