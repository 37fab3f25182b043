import { once } from "node:events";
import { request } from "node:http";
import { expect, it } from "vitest";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";
import { openRawPolling, pendingPoll } from "../support/raw-session.js";

interopSuite("polling on the wire", ({ startServer }) => {
  it("answers a poll with what was sent meanwhile, in one payload and with these headers", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    session.send("hello");
    session.send(Buffer.from([1, 2, 3, 4]));
    session.send("€");

    const { status, body, headers } = await peer.poll();

    expect(status).toBe(200);
    expect(body).toBe("4hello\x1ebAQIDBA==\x1e4€");
    expect(headers.get("content-type")).toBe("text/plain; charset=UTF-8");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("content-length")).toBe(String(Buffer.byteLength(body)));
  });

  it("answers a waiting poll at once", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);

    raw.session.send("a");

    expect(await answer).toMatchObject({ status: 200, body: "4a" });
  });

  it("answers ok to a POST of several packets, after they were processed", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const seen: unknown[] = [];
    session.on("packet", ({ type, data }: { type: string; data?: unknown }) => seen.push([type, data]));

    const response = await fetch(peer.url(), { method: "POST", body: '40/a\x1e3\x1e40/b,{"x":"€"}' });

    expect(seen).toEqual([
      ["message", "0/a"],
      ["pong", undefined],
      ["message", '0/b,{"x":"€"}'],
    ]);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-length")).toBe("2");
    expect(await response.text()).toBe("ok");
  });

  it("reads a body in chunks that split its characters", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const received = nextEvent(session, "packet");
    const body = Buffer.from('40/€,{"x":"😀"}');

    const req = request(peer.url(), { method: "POST", headers: { "transfer-encoding": "chunked" } });
    for (const byte of body) req.write(Buffer.from([byte]));
    req.end();
    await once(req, "response");

    expect((await received)[0]).toMatchObject({ type: "message", data: '0/€,{"x":"😀"}' });
  });

  it("keeps a session whose requests close their connections", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    session.send("a");

    expect((await peer.poll({ headers: { connection: "close" } })).body).toBe("4a");
    expect((await peer.post("3", { headers: { connection: "close" } })).body).toBe("ok");
    expect(session.readyState).toBe("open");
  });

  it("pings a waiting poll with `2` alone and takes the pong", async () => {
    const server = await startServer({ pingInterval: 30, pingTimeout: 5000 });
    const { peer, session } = await openRawPolling(server);

    for (let beat = 0; beat < 3; beat++) {
      const heartbeat = nextEvent(session, "heartbeat");
      expect((await peer.poll()).body).toBe("2");
      expect((await peer.post("3")).body).toBe("ok");
      await heartbeat;
    }
  });

  it("compresses a large answer the way the client asks for", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const encodings: (string | null)[] = [];
    for (const accepted of ["gzip", "deflate", "gzip, deflate", "gzip;q=0.1, deflate", "br, identity", "gzip;q=0"]) {
      session.send("x".repeat(2000));
      const { body, headers } = await peer.poll({ headers: { "accept-encoding": accepted } });
      expect(body).toBe(`4${"x".repeat(2000)}`);
      encodings.push(headers.get("content-encoding"));
    }

    expect(encodings).toEqual(["gzip", "deflate", "gzip", "deflate", null, null]);
  });

  it("does not compress what is small, what says so, and nothing when it is switched off", async () => {
    const server = await startServer();
    const plain = await startServer({ httpCompression: false });
    const { peer, session } = await openRawPolling(server);
    const other = await openRawPolling(plain);
    const headers = { "accept-encoding": "gzip" };

    session.send("x".repeat(1022));
    const small = await peer.poll({ headers });
    session.send("x".repeat(2000), { compress: false });
    const refused = await peer.poll({ headers });
    other.session.send("x".repeat(2000));
    const off = await other.peer.poll({ headers });

    for (const answer of [small, refused, off]) expect(answer.headers.get("content-encoding")).toBeNull();
  });
});
