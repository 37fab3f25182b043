import { once } from "node:events";
import { connect, createSecureServer, type IncomingHttpHeaders } from "node:http2";
import { createServer as createTlsServer, request as tlsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { exchange, RawWebSocketPeer, selfSignedCertificate, startEngine, upgradeRequest } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Engine, type EngineOptions } from "../index.js";

const POLLING = "?EIO=4&transport=polling";
const WEBSOCKET = "?EIO=4&transport=websocket";
const EVIL = "https://evil.example";

/** The status of an upgrade: 101 when it is accepted. */
async function upgradeStatus(url: string, origin: string): Promise<number> {
  const peer = new RawWebSocketPeer(url, { origin });
  onTestFinished(() => peer.socket.terminate());
  return peer.opened().then(
    () => 101,
    (error: Error) => Number(/\d{3}/.exec(error.message)?.[0]),
  );
}

describe("an engine that checks origins", () => {
  it("refuses a foreign handshake with 403 on both transports, and says so", async () => {
    const { engine, url, origin } = await startEngine({ checkOrigin: true });
    const reported: Array<{ code: number; message: string; context: object }> = [];
    engine.on("connection_error", (error: (typeof reported)[0]) => reported.push(error));
    const refused = await fetch(url + POLLING, { headers: { origin: EVIL } });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toEqual({ code: 4, message: "Origin not allowed" });
    const answer = await exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`, `Origin: ${EVIL}\r\n`));
    expect(answer).toBe(
      "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: 18\r\n\r\nOrigin not allowed",
    );
    const context = { name: "ORIGIN_NOT_ALLOWED", message: "Origin not allowed", origin: EVIL };
    expect(reported).toMatchObject(Array(2).fill({ code: 4, message: "Forbidden", context }));
    expect(engine.clientsCount).toBe(0);
  });

  it("lets in the own origin, whatever way the client writes the host, and programs", async () => {
    const { url, origin } = await startEngine({ checkOrigin: true });
    expect((await fetch(url + POLLING, { headers: { origin } })).status).toBe(200);
    expect((await fetch(url + POLLING)).status).toBe(200);
    expect(await upgradeStatus(url + WEBSOCKET, origin)).toBe(101);
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    expect(await peer.next()).toMatch(/^0/);
    const byName = origin.replace("127.0.0.1", "localhost");
    expect(await upgradeStatus(url + WEBSOCKET, byName)).toBe(403);
  });

  it("lets in an origin that cors allows with credentials, and asks allowRequest about nobody else", async () => {
    const asked: unknown[] = [];
    const options: EngineOptions = {
      checkOrigin: true,
      cors: { origin: ["https://friend.example"], credentials: true },
      allowRequest: (req, decide) => {
        asked.push(req.headers.origin);
        decide(null, true);
      },
    };
    const { url } = await startEngine(options);
    for (const origin of ["https://friend.example", EVIL]) {
      const status = (await fetch(url + POLLING, { headers: { origin } })).status;
      const upgraded = await upgradeStatus(url + WEBSOCKET, origin);
      expect([status, upgraded]).toEqual(origin === EVIL ? [403, 403] : [200, 101]);
    }
    expect(asked).toEqual(["https://friend.example", "https://friend.example"]);
  });

  it("may begin and end to do so at run time", async () => {
    const { engine, url } = await startEngine();
    const status = async (): Promise<number> => (await fetch(url + POLLING, { headers: { origin: EVIL } })).status;
    expect(await status()).toBe(200);
    expect(engine.opts.checkOrigin).toBeUndefined();
    engine.opts.checkOrigin = true;
    expect(await status()).toBe(403);
    engine.opts.checkOrigin = (origin) => origin === EVIL;
    expect(await status()).toBe(200);
  });

  it("lets nobody go on with a session from another origin, by poll, post or upgrade; the session lives on", async () => {
    const { engine, url, peer, origin } = await startEngine({ checkOrigin: true });
    const { sid } = await peer.open();
    expect((await peer.post("4own", { headers: { origin } })).body).toBe("ok");
    const evil = { headers: { origin: EVIL } };
    expect((await peer.poll(evil)).status).toBe(403);
    expect(await peer.post("4evil", evil)).toMatchObject({ status: 403 });
    expect(await upgradeStatus(`${url}${WEBSOCKET}&sid=${sid}`, EVIL)).toBe(403);
    expect((await peer.poll({ headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403);
    expect(engine.clients[sid]?.readyState).toBe("open");
    expect((await peer.post("4own", { headers: { origin } })).body).toBe("ok");
    expect(await upgradeStatus(`${url}${WEBSOCKET}&sid=${sid}`, origin)).toBe(101);
  });

  it("checks the first origin of a session that began without one, and holds it to that", async () => {
    const { peer, origin } = await startEngine({
      checkOrigin: true,
      cors: { origin: "https://friend.example", credentials: true },
    });
    await peer.open();
    expect((await peer.post("4a", { headers: { origin: EVIL } })).status).toBe(403);
    expect((await peer.post("4a", { headers: { origin } })).status).toBe(200);
    expect((await peer.post("4a", { headers: { origin: "https://friend.example" } })).status).toBe(403);
    expect((await peer.post("4a")).status).toBe(200);
  });

  it("answers a request whose session ended while its origin was looked at", async () => {
    let decide: (isAllowed: boolean) => void = () => {};
    const { engine, peer } = await startEngine({ checkOrigin: () => new Promise((resolve) => (decide = resolve)) });
    const { sid } = await peer.open();
    const asked = new Promise<void>((resolve) => {
      engine.opts.checkOrigin = () => new Promise((settle) => void ((decide = settle), resolve()));
    });
    const posted = peer.post("4a", { headers: { origin: EVIL } });
    await asked;
    engine.clients[sid]?.close(true);
    decide(true);
    expect(await posted).toMatchObject({ status: 400, body: '{"code":1,"message":"Session ID unknown"}' });
  });

  it("tells pages of http from those of https when the connection is encrypted", async () => {
    const server = createTlsServer(selfSignedCertificate);
    const engine = new Engine({ checkOrigin: true }).attach(server as never);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void (engine.close(), server.close(), server.closeAllConnections()));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const status = async (origin: string): Promise<number | undefined> => {
      const req = tlsRequest(`https://${host}/engine.io/${POLLING}`, {
        ca: selfSignedCertificate.cert,
        headers: { origin },
        checkServerIdentity: () => undefined,
      });
      req.end();
      const [response] = (await once(req, "response")) as [{ statusCode?: number; resume(): void }];
      response.resume();
      return response.statusCode;
    };
    expect(await status(`https://${host}`)).toBe(200);
    expect(await status(`http://${host}`)).toBe(403);
  });

  it("does the same over HTTP/2, where the host is in :authority", async () => {
    const server = createSecureServer(selfSignedCertificate);
    const engine = new Engine({ checkOrigin: true }).attach(server as never);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = connect(`https://${host}`, { ca: selfSignedCertificate.cert, checkServerIdentity: () => undefined });
    onTestFinished(() => void (engine.close(), client.destroy(), server.close()));
    const status = async (origin: string): Promise<unknown> => {
      const stream = client.request({ ":path": `/engine.io/${POLLING}`, origin });
      const [headers] = (await once(stream.resume(), "response")) as [IncomingHttpHeaders];
      return headers[":status"];
    };
    expect(await status(`https://${host}`)).toBe(200);
    expect(await status(`http://${host}`)).toBe(403);
    expect(await status(EVIL)).toBe(403);
  });
});
