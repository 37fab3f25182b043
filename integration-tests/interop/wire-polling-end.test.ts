import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { expect, it, vi } from "vitest";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";
import { openRawPolling, pendingPoll, type EngineSession } from "../support/raw-session.js";
import { whenWritable } from "../support/when-writable.js";

/** The answer to a request about a session that is gone. */
const gone = { status: 400, body: JSON.stringify({ code: 1, message: "Session ID unknown" }) };

/** Not public in the typings of the reference. */
const writeBufferOf = (session: EngineSession): { data: unknown }[] => Reflect.get(session, "writeBuffer");

/** Starts a POST whose body does not end, and resolves once the server works on it. */
async function unfinishedPost(url: string): Promise<{ cut: Promise<unknown> }> {
  const req = request(url, { method: "POST", headers: { "content-type": "text/plain" } });
  const cut = once(req, "response").catch((error: unknown) => error);
  req.write("4");
  await once(req, "socket");
  await new Promise<void>((resolve) => req.write("", () => resolve()));
  return { cut };
}

interopSuite("the end of a polling session on the wire", ({ startServer }) => {
  const closedBy = (session: EngineSession): Promise<[string, { message?: string; description?: unknown }?]> =>
    nextEvent(session, "close");

  it("says `1` to the waiting poll when the server closes", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const closed = closedBy(raw.session);

    raw.session.close();

    expect((await answer).body).toBe("1");
    expect((await closed)[0]).toBe("forced close");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it("says `6` and `1` to the next poll when none waits", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const closed = closedBy(session);

    session.close();
    expect(session.readyState).toBe("closing");

    expect((await peer.poll()).body).toBe("6\x1e1");
    expect((await closed)[0]).toBe("forced close");
    expect(await peer.poll()).toMatchObject(gone);
  });

  it("delivers what was sent before the close to a waiting poll and to the next ones", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);

    raw.session.send("a");
    raw.session.send("b");
    raw.session.close();

    expect((await answer).body).toBe("4a");
    expect((await raw.peer.poll()).body).toBe("4b");
    expect((await raw.peer.poll()).body).toBe("6\x1e1");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it("delivers what was sent before the close to the next poll when none waits", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);

    session.send("a");
    session.send("b");
    session.close();

    expect((await peer.poll()).body).toBe("4a\x1e4b");
    expect((await peer.poll()).body).toBe("6\x1e1");
    expect(await peer.poll()).toMatchObject(gone);
  });

  it("drops what is queued when the engine closes", async () => {
    const server = await startServer();
    const waiting = await openRawPolling(server);
    const { answer } = await pendingPoll(waiting);
    const idle = await openRawPolling(server);
    const closing = await openRawPolling(server);
    const closed = [waiting, idle, closing].map(({ session }) => closedBy(session));

    idle.session.send("lost");
    closing.session.send("lost too");
    closing.session.close();
    server.io.engine.close();

    expect((await answer).body).toBe("1");
    for (const [reason] of await Promise.all(closed)) expect(reason).toBe("forced close");
    expect(server.io.engine.clientsCount).toBe(0);
    expect(await idle.peer.poll()).toMatchObject(gone);
    expect(await closing.peer.poll()).toMatchObject(gone);
  });

  it("takes the `1` of a client for its goodbye", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const closed = closedBy(raw.session);

    expect((await raw.peer.post("1")).body).toBe("ok");

    expect((await answer).body).toBe("6");
    expect((await closed)[0]).toBe("transport close");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it.each(["", "abc", "8", "3\x1e"])("ends a session that posts %j", async (body) => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const closed = closedBy(raw.session);

    expect(await raw.peer.post(body)).toMatchObject({ status: 200, body: "ok" });

    expect((await answer).body).toBe("1");
    expect((await closed)[0]).toBe("parse error");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it("ends a session that posts a ping", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const closed = closedBy(raw.session);

    await raw.peer.post("2");

    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toBe("invalid heartbeat direction");
  });

  it("ends a session that polls twice at a time", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const closed = closedBy(raw.session);

    const second = await raw.peer.poll();

    expect(second).toMatchObject({ status: 400, body: "" });
    expect(await answer).toMatchObject({ status: 200, body: "1" });
    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toBe("overlap from client");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it("ends a session that posts twice at a time", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const closed = closedBy(raw.session);
    const arrived = once(server.webServer, "request");
    const first = await unfinishedPost(raw.peer.url());
    await arrived;

    const second = await raw.peer.post("3");

    expect(second).toMatchObject({ status: 400, body: "" });
    expect(await first.cut).toBeInstanceOf(Error);
    expect((await answer).body).toBe("1");
    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toBe("data request overlap from client");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it("ends a session that posts bytes", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const closed = closedBy(raw.session);

    const post = await raw.peer.post(new Uint8Array([4, 97]), {
      headers: { "content-type": "application/octet-stream" },
    });

    expect(post).toMatchObject({ status: 400, body: "" });
    expect((await answer).body).toBe("1");
    expect((await closed)[0]).toBe("transport error");
    expect(await raw.peer.poll()).toMatchObject(gone);
  });

  it.each(["with", "without"])("refuses a body above the limit %s a length and keeps the session", async (how) => {
    const server = await startServer({ maxHttpBufferSize: 10 });
    server.io.engine.use((_req: unknown, _res: unknown, next: () => void) => next());
    const raw = await openRawPolling(server);
    const packet = vi.fn();
    raw.session.on("packet", packet);
    const { answer } = await pendingPoll(raw);

    const req = request(raw.peer.url(), {
      method: "POST",
      headers: how === "with" ? { "content-length": "11" } : { "transfer-encoding": "chunked" },
    });
    req.end("40123456789");
    const [response] = (await once(req, "response")) as [{ statusCode: number; resume(): void }];
    response.resume();

    expect(response.statusCode).toBe(413);
    expect(packet).not.toHaveBeenCalled();
    expect(raw.session.readyState).toBe("open");
    raw.session.send("a");
    expect((await answer).body).toBe("4a");
  });

  it("notices a client that drops its poll", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const closed = closedBy(session);
    const { port, pathname, search } = new URL(peer.url());
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await whenWritable(session);

    socket.destroy();

    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toBe("poll connection closed prematurely");
    expect(await peer.poll()).toMatchObject(gone);
  });

  it("notices a client that drops its POST", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    const closed = closedBy(session);
    const { port, pathname, search } = new URL(peer.url());
    const arrived = once(server.webServer, "request");
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(`POST ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n40`);
    await arrived;

    socket.destroy();

    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toBe("data request connection closed prematurely");
  });

  it("says `1` to a waiting poll when no pong came", async () => {
    const server = await startServer({ pingInterval: 40, pingTimeout: 2000 });
    const { peer, session } = await openRawPolling(server);
    const closed = closedBy(session);

    expect((await peer.poll()).body).toBe("2");
    expect((await peer.poll()).body).toBe("1");

    expect((await closed)[0]).toBe("ping timeout");
    expect(await peer.poll()).toMatchObject(gone);
  });

  it("gives a session its ping interval and its ping timeout before it is given up", async () => {
    const server = await startServer({ pingInterval: 300, pingTimeout: 200 });
    const since = performance.now();
    const { session } = await openRawPolling(server);

    const [reason] = await closedBy(session);

    expect(reason).toBe("ping timeout");
    expect(performance.now() - since).toBeGreaterThan(490);
  });

  it("gives up a closing session whose client does not poll any more", async () => {
    const server = await startServer({ pingInterval: 40, pingTimeout: 300 });
    const { session } = await openRawPolling(server);
    const closed = closedBy(session);

    session.close();

    expect((await closed)[0]).toBe("ping timeout");
  });

  it("shows in its close event what was not sent", async () => {
    const server = await startServer();
    const { peer, session } = await openRawPolling(server);
    session.send("unsent");
    const unsent = new Promise<unknown[]>((resolve) => {
      session.on("close", () => resolve(writeBufferOf(session).map(({ data }) => data)));
    });

    await peer.post("1");

    expect(await unsent).toEqual(["unsent"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(writeBufferOf(session)).toHaveLength(0);
  });

  it("breaks off a POST that is under way when the session closes", async () => {
    const server = await startServer();
    const raw = await openRawPolling(server);
    const { answer } = await pendingPoll(raw);
    const arrived = once(server.webServer, "request");
    const post = await unfinishedPost(raw.peer.url());
    await arrived;

    raw.session.close();

    expect((await answer).body).toBe("1");
    expect(await post.cut).toBeInstanceOf(Error);
  });
});
