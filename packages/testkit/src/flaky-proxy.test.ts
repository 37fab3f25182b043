import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { FlakyProxy, type FlakyProxyOptions } from "./flaky-proxy.js";
import { Inbox } from "./inbox.js";

/** One end of a connection: what it has received, and how it ended. */
class End {
  readonly chunks: Inbox<string> = new Inbox();
  readonly socket: Socket;
  /** `FIN` or `RST`, whichever is seen first. */
  readonly ended: Promise<string>;
  text = "";
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.ended = new Promise((resolve) => {
      socket.once("end", () => resolve("FIN")).once("error", () => resolve("RST"));
    });
    socket
      .on("error", () => {})
      .on("data", (bytes: Buffer) => {
        this.text += bytes.toString("latin1");
        this.chunks.push(bytes.toString("latin1"));
        this.#wake();
      });
  }

  async received(text: string): Promise<void> {
    while (this.text !== text) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

interface Scene {
  readonly proxy: FlakyProxy;
  /** A new connection through the proxy, from the client's and from the server's side. */
  pair(): Promise<{ client: End; server: End }>;
}

async function start(options: Omit<FlakyProxyOptions, "targetPort"> = {}): Promise<Scene> {
  const accepted = new Inbox<Socket>();
  const target = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket));
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  const proxy = await FlakyProxy.listen({ targetPort: (target.address() as AddressInfo).port, ...options });
  const opened: Socket[] = [];
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of opened) socket.destroy();
    target.close();
  });
  return {
    proxy,
    async pair() {
      const client = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      opened.push(client);
      const ends = { client: new End(client), server: new End(await accepted.next()) };
      opened.push(ends.server.socket);
      return ends;
    },
  };
}

describe("the flaky proxy", () => {
  it("hands on bytes and ends when nothing else was asked for", async () => {
    const { pair } = await start();
    const { client, server } = await pair();
    client.socket.end("ping");
    await server.received("ping");
    expect(await server.ended).toBe("FIN");
    server.socket.end("pong");
    await client.received("pong");
    expect(await client.ended).toBe("FIN");
  });

  it("hands on a reset, in both directions", async () => {
    const { pair } = await start();
    const first = await pair();
    first.client.socket.resetAndDestroy();
    expect(await first.server.ended).toBe("RST");
    const second = await pair();
    second.server.socket.resetAndDestroy();
    expect(await second.client.ended).toBe("RST");
  });

  it("cuts with a reset that both ends see", async () => {
    const { proxy, pair } = await start();
    const { client, server } = await pair();
    const [link] = proxy.links;
    link!.reset();
    expect(await client.ended).toBe("RST");
    expect(await server.ended).toBe("RST");
    await link!.closed;
    expect(proxy.links).toEqual([]);
    expect(proxy.linkCount).toBe(1);
  });

  it("cuts with an end that both ends see", async () => {
    const { proxy, pair } = await start();
    const { client, server } = await pair();
    proxy.links[0]!.end();
    expect(await client.ended).toBe("FIN");
    expect(await server.ended).toBe("FIN");
  });

  it.each(["client", "server"] as const)(
    "leaves the other side open when the one of the %s is dropped",
    async (side) => {
      const { proxy, pair } = await start();
      const ends = await pair();
      const other = side === "client" ? ends.server : ends.client;
      const [link] = proxy.links;
      link!.drop(side);
      expect(await ends[side].ended).toBe("RST");
      // Written and gone: only the end of the connection could tell.
      await new Promise<void>((resolve) => {
        other.socket.write("into the void", () => resolve());
      });
      expect(other.socket.readyState).toBe("open");
      expect(link!.isOpen).toBe(false);
    },
  );

  it("cuts after the very byte that was asked for", async () => {
    const { pair } = await start({
      onLink: (link) => link.afterBytes("up", 5, () => link.end()),
    });
    const { client, server } = await pair();
    client.socket.write("123");
    await server.received("123");
    client.socket.write("456789");
    await server.received("12345");
    expect(await server.ended).toBe("FIN");
    expect(server.text).toBe("12345");
  });

  it("stalls one direction while the other goes on, and loses nothing", async () => {
    const { proxy, pair } = await start();
    const { client, server } = await pair();
    const [link] = proxy.links;
    link!.stall("up");
    client.socket.write("held");
    server.socket.write("free");
    await client.received("free");
    client.socket.end(" back");
    server.socket.write(" still");
    await client.received("free still");
    expect(server.text).toBe("");
    link!.resume("up");
    await server.received("held back");
    expect(await server.ended).toBe("FIN");
  });

  it("hides from the ends of a stalled link that the other one is gone", async () => {
    const { proxy, pair } = await start();
    const { client, server } = await pair();
    const [link] = proxy.links;
    link!.stall();
    const gone = once(client.socket, "close");
    client.socket.resetAndDestroy();
    await gone;
    const { client: another, server: anotherServer } = await pair();
    another.socket.write("later");
    await anotherServer.received("later");
    expect(server.socket.readyState).toBe("open");
    link!.resume();
    expect(await server.ended).toBe("RST");
  });

  it("splits what is written at once", async () => {
    const { pair } = await start({ maxPieceBytes: 3, seed: 1 });
    const { client, server } = await pair();
    const text = "0123456789".repeat(20);
    client.socket.write(text);
    await server.received(text);
    // The receiver may read several pieces at once, but never all of them in one.
    expect(server.chunks.size).toBeGreaterThan(1);
  });

  it("delays without changing the order", async () => {
    const { pair } = await start({ delayMs: 3, maxPieceBytes: 20, seed: 1 });
    const { client, server } = await pair();
    const text = "0123456789".repeat(20);
    const startMs = performance.now();
    client.socket.write(text);
    await server.received(text);
    expect(performance.now() - startMs).toBeGreaterThan(10);
  });

  it("hands on more than it reads ahead to a slow reader", async () => {
    const { pair } = await start();
    const { client, server } = await pair();
    server.socket.pause();
    const text = "0123456789abcdef".repeat(2 ** 18);
    client.socket.end(text);
    server.socket.resume();
    expect(await server.ended).toBe("FIN");
    expect(server.text).toBe(text);
  });

  it("refuses the next connections, as many as asked for or until told otherwise", async () => {
    const { proxy, pair } = await start();
    const attempt = async (): Promise<string> => {
      const socket = connect({ port: proxy.port, host: "127.0.0.1" });
      return new End(socket).ended;
    };
    proxy.refuse(2);
    expect(await Promise.all([attempt(), attempt()])).toEqual(["RST", "RST"]);
    const { client, server } = await pair();
    client.socket.write("in");
    await server.received("in");
    proxy.refuse();
    expect(await attempt()).toBe("RST");
    proxy.accept();
    await pair();
    expect(proxy.linkCount).toBe(2);
  });

  it("resets clients whose server is not there", async () => {
    const proxy = await FlakyProxy.listen({ targetPort: 1 });
    onTestFinished(() => proxy.close());
    expect(await new End(connect({ port: proxy.port, host: "127.0.0.1" })).ended).toBe("RST");
  });

  it("decides the same with the same seed, link by link", async () => {
    const decisionsOf = async (seed: number): Promise<number[]> => {
      const decisions: number[] = [];
      const { pair } = await start({ seed, onLink: (_link, random) => decisions.push(random.int(1000)) });
      await pair();
      await pair();
      return decisions;
    };
    const first = await decisionsOf(42);
    expect(first[0]).not.toBe(first[1]);
    expect(await decisionsOf(42)).toEqual(first);
    expect(await decisionsOf(43)).not.toEqual(first);
  });
});
