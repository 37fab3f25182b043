import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { startEngine } from "@plugboard/testkit";
import { describe, expect, it } from "vitest";

describe("polling over Node's http", () => {
  it("carries text and binary both ways, whole characters even when they come in pieces", async () => {
    const { origin, connected, peer } = await startEngine();
    await peer.open();
    const session = await connected;
    const received: unknown[] = [];
    session.on("message", (data: unknown) => received.push(data));
    const body = Buffer.from("4€𝔘\x1ebAQID");
    const upload = httpRequest(`${origin}${new URL(peer.url()).pathname}${new URL(peer.url()).search}`, {
      method: "POST",
    });
    // Without a Content-Length, the body goes in chunks: one byte each here.
    for (const byte of body) upload.write(Buffer.from([byte]));
    upload.end();
    await once(upload, "response");
    expect(received).toEqual(["€𝔘", Buffer.from([1, 2, 3])]);
    session.send("€𝔘");
    session.send(Buffer.from([1, 2, 3]));
    expect((await peer.poll()).body).toBe("4€𝔘\x1ebAQID");
  });

  it("ends the session when the client drops its poll", async () => {
    const { connected, peer } = await startEngine();
    await peer.open();
    const session = await connected;
    const abort = new AbortController();
    const poll = peer.poll({ signal: abort.signal }).catch(() => "aborted");
    await new Promise((resolve) => setImmediate(resolve));
    const waitUntilPending = (): Promise<void> =>
      session.transport.writable
        ? Promise.resolve()
        : new Promise((resolve) => setImmediate(resolve)).then(waitUntilPending);
    await waitUntilPending();
    const closed = once(session, "close");
    abort.abort();
    expect(await closed).toMatchObject(["transport error", { message: "poll connection closed prematurely" }]);
    expect(await poll).toBe("aborted");
  });

  it("ends the session when the client has dropped its poll before a slow middleware lets it through", async () => {
    const { engine, connected, peer, url } = await startEngine();
    let letThrough: (() => void) | undefined;
    let gone: Promise<unknown> | undefined;
    engine.use((req, res, next) => {
      if (!req.url?.includes("sid=")) return next();
      gone = once(res, "close");
      letThrough = () => next();
    });
    await peer.open();
    const session = await connected;
    const abort = new AbortController();
    const poll = fetch(`${url}?EIO=4&transport=polling&sid=${peer.sid}`, { signal: abort.signal }).catch(() => "gone");
    while (letThrough === undefined) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await Promise.all([poll, gone]);
    const closed = once(session, "close");
    letThrough();
    expect((await closed)[0]).toBe("transport error");
  });

  it("answers an oversized body with 413 and keeps the session", async () => {
    const { peer, connected } = await startEngine({ maxHttpBufferSize: 100 });
    await peer.open();
    const session = await connected;
    expect(await peer.post("4" + "a".repeat(100_000))).toEqual({ status: 413, body: "" });
    expect(session.readyState).toBe("open");
    expect(await peer.post("4a")).toEqual({ status: 200, body: "ok" });
  });

  it("compresses a large answer as a stream", async () => {
    const { peer, connected } = await startEngine();
    await peer.open();
    const session = await connected;
    session.send("a".repeat(5000));
    const { headers, body } = await peer.poll();
    expect(headers.get("content-encoding")).toBe("gzip");
    expect(body).toBe("4" + "a".repeat(5000));
  });

  it("lets the HTTP server close while polls are pending", async () => {
    const { server, engine, peer } = await startEngine();
    await peer.open();
    const poll = peer.poll();
    await once(server, "request");
    await new Promise((resolve) => setImmediate(resolve));
    engine.close();
    const closed = once(server, "close");
    server.close();
    const { body, headers } = await poll;
    expect([body, headers.get("connection")]).toEqual(["1", "close"]);
    await closed;
  });
});
