import { describe, expect, it } from "vitest";
import { clients, plugboardClient } from "../client/support/clients.js";
import { nextEvent } from "../support/next-event.js";
import { openScene, type Scene } from "./scene.js";

const recovery = { connectionStateRecovery: {} };

/** What the client hears, by name. */
function record({ client }: Scene): string[] {
  const heard: string[] = [];
  client.onAny((name: string) => heard.push(name));
  return heard;
}

/** Sends an event to the client wherever it is by now, and waits until it is there: what came before has come. */
async function fence({ server, client }: Scene): Promise<void> {
  const there = nextEvent(client, "fence");
  server.io.emit("fence");
  await there;
}

/** What docs/reliability.md says of events to the client. */
describe.each(clients)("an event for $name", (implementation) => {
  it("without recovery is lost when it is sent while the client is away, or is on its way then", async () => {
    const scene = await openScene(implementation);
    const heard = record(scene);
    scene.proxy.links[0]!.stall("down");
    scene.socket.emit("on its way");
    const away = nextEvent(scene.socket, "disconnect").then(() => scene.server.io.emit("while away"));
    await scene.cut();
    await away;
    await fence(scene);
    expect(scene.client.recovered).toBeFalsy();
    expect(heard).toEqual(["fence"]);
  });

  it("with recovery is lost before the first one was received, and the client is told to start anew", async () => {
    const scene = await openScene(implementation, recovery);
    const heard = record(scene);
    const { id } = scene.client;
    scene.proxy.links[0]!.stall("down");
    scene.socket.emit("first");
    await scene.cut();
    await fence(scene);
    expect(scene.client.recovered).toBe(false);
    expect(scene.client.id).not.toBe(id);
    expect(heard).toEqual(["fence"]);
  });

  it("with recovery comes after all, unless it is volatile or asks for an answer", async () => {
    const scene = await openScene(implementation, recovery);
    await fence(scene);
    const heard = record(scene);
    scene.proxy.links[0]!.stall("down");
    const answer = scene.socket.timeout(1).emitWithAck("question");
    scene.socket.volatile.emit("volatile");
    scene.socket.emit("plain");
    scene.server.io.emit("to all");
    await expect(answer).rejects.toThrow("operation has timed out");
    await scene.cut();
    await fence(scene);
    expect(scene.client.recovered).toBe(true);
    expect(heard).toEqual(["plain", "to all", "fence"]);
  });

  it(`with recovery comes ${implementation.ours ? "once" : "again"} when the return is cut short`, async () => {
    const scene = await openScene(implementation, recovery);
    await fence(scene);
    const heard = record(scene);
    const { proxy, client, socket, server } = scene;
    const lost = [nextEvent(client, "disconnect"), nextEvent(socket, "disconnect")];
    proxy.refuse();
    proxy.links[0]!.reset();
    await Promise.all(lost);
    const size = 10_000;
    server.io.emit("long", "x".repeat(size));
    server.io.emit("longer", "x".repeat(size));
    // Enough for the first one, not for both, and CONNECT comes after them.
    proxy.onLink = (link) => {
      proxy.onLink = () => {};
      link.afterBytes("down", size * 1.5, () => link.reset());
    };
    const back = nextEvent(client, "connect");
    proxy.accept();
    await back;
    await fence(scene);
    expect(client.recovered).toBe(true);
    expect(proxy.linkCount).toBe(3);
    const repeated = implementation.ours ? [] : ["long"];
    expect(heard).toEqual(["long", ...repeated, "longer", "fence"]);
  });
});

describe("an event for our client", () => {
  it("with recovery comes after all when the server has not noticed that the connection was lost", async () => {
    const scene = await openScene(plugboardClient, recovery);
    await fence(scene);
    const heard = record(scene);
    const left = nextEvent(scene.socket, "disconnect");
    const back = nextEvent(scene.client, "connect");
    scene.proxy.links[0]!.drop("client");
    scene.socket.emit("into the void");
    await back;
    await fence(scene);
    expect((await left)[0]).toBe("transport close");
    expect(scene.client.recovered).toBe(true);
    expect(heard).toEqual(["into the void", "fence"]);
  });

  it("with recovery comes after all when attempts to come back were lost on their way as well", async () => {
    const scene = await openScene(plugboardClient, recovery);
    await fence(scene);
    const heard = record(scene);
    const { proxy, client, socket } = scene;
    let attempts = 0;
    // The server lets the first one in, but the client is never told; the others say nothing to the server.
    proxy.onLink = (link) => {
      attempts++;
      if (attempts > 4) return;
      if (attempts > 1) link.afterBytes("up", 300, () => link.drop("client"));
      else scene.server.io.once("connection", () => link.drop("client"));
    };
    const back = nextEvent(client, "connect");
    proxy.links[0]!.drop("client");
    socket.emit("into the void");
    await back;
    await fence(scene);
    expect(attempts).toBe(5);
    expect(client.recovered).toBe(true);
    expect(heard).toEqual(["into the void", "fence"]);
  });

  it("with recovery may end with a text that looks like an offset", async () => {
    const scene = await openScene(plugboardClient, recovery);
    await fence(scene);
    const there = nextEvent(scene.client, "volatile");
    scene.socket.volatile.emit("volatile", "a text at the end");
    await there;
    await scene.cut();
    expect(scene.client.recovered).toBe(true);
  });
});
