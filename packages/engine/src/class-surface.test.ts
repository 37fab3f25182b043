import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { RawPollingPeer, RawWebSocketPeer, startEngine, type StartedEngine } from "@plugboard/testkit";
import { WebSocket, WebSocketServer } from "ws";
import { describe, expect, it, onTestFinished } from "vitest";
import { attach, Engine, listen, protocol, Server, Socket, type Session, type Transport } from "./index.js";

/** Opens a session over WebSocket, with the rest of the query. */
async function overWebSocket(
  { url, engine }: StartedEngine,
  rest = "",
): Promise<{ session: Session; peer: RawWebSocketPeer }> {
  const accepted = once(engine, "connection");
  const peer = new RawWebSocketPeer(`${url}?EIO=4&transport=websocket${rest}`);
  onTestFinished(() => peer.socket.terminate());
  const [session] = (await accepted) as [Session];
  await peer.next();
  return { session, peer };
}

describe("the class of engines", () => {
  it("goes by the name of engine.io too, in code and in what is printed of it", () => {
    expect(Server).toBe(Engine);
    expect(new Server().constructor.name).toBe("Server");
  });

  it("tells the codes of refusals and what they mean, as clients and listeners get them", async () => {
    const { engine, url } = await startEngine();
    const heard = once(engine, "connection_error");
    const body: unknown = await (await fetch(`${url}?EIO=4&transport=polling&sid=unknown`)).json();

    const code = Engine.errors.UNKNOWN_SID;
    expect(body).toEqual({ code, message: Engine.errorMessages[code] });
    expect((await heard)[0]).toMatchObject({ code, message: Engine.errorMessages[code] });
    expect(Object.values(Engine.errors)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Object.keys(Engine.errorMessages).map(Number)).toEqual(Object.values(Engine.errors));
  });
});

describe("an engine", () => {
  it("lists its middlewares in order, that of the cors option first, and runs what is put into the list", async () => {
    const { engine, url } = await startEngine({ cors: { origin: "http://page.test" } });
    const used = (_req: unknown, _res: unknown, next: () => void): void => next();
    engine.use(used);
    engine.middlewares.push((_req, res: { setHeader(name: string, value: string): void }, next) => {
      res.setHeader("x-pushed", "yes");
      next();
    });

    const { headers } = await fetch(`${url}?EIO=4&transport=polling`);

    expect(engine.middlewares).toHaveLength(3);
    expect(engine.middlewares[1]).toBe(used);
    expect([headers.get("access-control-allow-origin"), headers.get("x-pushed")]).toEqual(["http://page.test", "yes"]);
  });

  it("says which upgrades a handshake offers, which is what the client reads", async () => {
    const { engine, peer } = await startEngine();
    const { upgrades } = await peer.open();

    expect(engine.upgrades("polling")).toEqual(upgrades);
    expect([engine.upgrades("polling"), engine.upgrades("websocket")]).toEqual([["websocket"], []]);
    engine.opts.allowUpgrades = false;
    expect(engine.upgrades("polling")).toEqual([]);
  });

  it("gives the server of ws that accepts its upgrades", async () => {
    const started = await startEngine();
    const { ws } = started.engine;
    expect(ws).toBeInstanceOf(WebSocketServer);
    const headers = once(ws as WebSocketServer, "headers");

    await overWebSocket(started);

    expect((await headers)[0]).toContain("Upgrade: websocket");
    expect(started.engine.ws).toBe(ws);
  });

  it("gives the server that it makes of wsEngine", () => {
    class OtherServer extends WebSocketServer {}
    const engine = new Engine({ wsEngine: OtherServer as never });
    expect(engine.ws).toBeInstanceOf(OtherServer);
  });

  it("has no server of ws when it serves no WebSocket", () => {
    expect(new Engine({ transports: ["polling"] }).ws).toBeUndefined();
  });

  it("knows its HTTP server, its sessions and their number, and checks a path", async () => {
    const { engine, server, peer, connected } = await startEngine();
    await peer.open();

    expect(engine.httpServer).toBe(server);
    expect(engine.clients[peer.sid]).toBe(await connected);
    expect([engine.clientsCount, engine.matches("/engine.io/?EIO=4"), engine.matches("/other")]).toEqual([
      1,
      true,
      false,
    ]);
  });
});

describe("a session", () => {
  it("knows its engine, and is an instance of what engine.io calls Socket", async () => {
    const { engine, peer, connected } = await startEngine();
    await peer.open();
    const session = await connected;

    expect(session.server).toBe(engine);
    expect(session).toBeInstanceOf(Socket);
    expect([session.constructor.name, engine instanceof Socket]).toEqual(["Socket", false]);
  });
});

describe("the polling transport", () => {
  async function openSession(): Promise<{ peer: RawPollingPeer; session: Session; transport: Transport }> {
    const { peer, connected } = await startEngine();
    await peer.open();
    const session = await connected;
    return { peer, session, transport: session.transport };
  }

  it("tells what it is and whose", async () => {
    const { peer, transport } = await openSession();
    expect(transport).toMatchObject({
      name: "polling",
      sid: peer.sid,
      protocol: 4,
      supportsBinary: false,
      readyState: "open",
      discarded: false,
    });
  });

  it("shows the request that waits for an answer, and none once it has it", async () => {
    const { peer, session, transport } = await openSession();
    expect(transport.req).toBeUndefined();
    const poll = peer.poll();
    while (!transport.writable) await once(session.server.httpServer!, "request");

    expect(transport.req).toMatchObject({ method: "GET", _query: { sid: peer.sid } });
    session.send("x");
    expect(transport.req).toBeUndefined();
    expect((await poll).body).toBe("4x");
  });

  it("shows the request whose body is being read", async () => {
    const { peer, session, transport } = await openSession();
    const body = new TransformStream<Uint8Array, Uint8Array>();
    const writer = body.writable.getWriter();
    const arrived = once(session.server.httpServer!, "request");
    const posted = fetch(peer.url(), { method: "POST", body: body.readable, duplex: "half" } as RequestInit);
    void writer.write(Buffer.from("4hello"));
    await arrived;

    expect(transport.dataReq).toMatchObject({ method: "POST" });
    const message = once(session, "message");
    await writer.close();
    expect(await message).toEqual(["hello"]);
    expect(await (await posted).text()).toBe("ok");
    expect(transport.dataReq).toBeUndefined();
  });

  it("is closing until the client fetches the close, then closed and without a session", async () => {
    const { peer, session, transport } = await openSession();
    session.close();
    expect([transport.readyState, transport.sid]).toEqual(["closing", peer.sid]);

    expect((await peer.poll()).body).toBe("6\x1e1");

    expect([transport.readyState, transport.sid, transport.discarded]).toEqual(["closed", undefined, true]);
  });
});

describe("the WebSocket transport", () => {
  it("tells what it is and whose, and gives the socket of ws", async () => {
    const { session, peer } = await overWebSocket(await startEngine());
    const { transport } = session;

    expect(transport).toMatchObject({
      name: "websocket",
      sid: session.id,
      protocol: 4,
      supportsBinary: true,
      readyState: "open",
      discarded: false,
    });
    expect(transport.socket).toBeInstanceOf(WebSocket);
    const ponged = once(transport.socket as WebSocket, "pong");
    (transport.socket as WebSocket).ping("are you there");
    expect(String((await ponged)[0])).toBe("are you there");

    const closed = once(session, "close");
    peer.close();
    await closed;
    expect([transport.readyState, transport.sid, transport.discarded]).toEqual(["closed", undefined, true]);
  });

  it("gives the socket of a wsEngine", async () => {
    class OtherServer extends WebSocketServer {}
    const { session } = await overWebSocket(await startEngine({ wsEngine: OtherServer as never }));
    expect(session.transport.socket).toBeInstanceOf(WebSocket);
  });

  it("sends no bytes to a client that wants base64", async () => {
    const { session, peer } = await overWebSocket(await startEngine(), "&b64=1");
    session.send(Buffer.from([1, 2, 3]));
    expect([session.transport.supportsBinary, await peer.next()]).toEqual([false, "bAQID"]);
  });

  it("takes the session over from the polling transport", async () => {
    const { url, peer, connected } = await startEngine();
    await peer.open();
    const session = await connected;
    const polling = session.transport;
    const upgrading = once(session, "upgrading");
    const upgraded = once(session, "upgrade");
    const candidate = new RawWebSocketPeer(`${url}?EIO=4&transport=websocket&sid=${peer.sid}`);
    onTestFinished(() => candidate.socket.terminate());
    await candidate.opened();
    candidate.send("2probe");
    const [tried] = (await upgrading) as [Transport];
    expect([tried.sid, polling.sid]).toEqual([undefined, peer.sid]);

    candidate.send("5");

    expect((await upgraded)[0]).toBe(tried);
    expect([tried.sid, tried.discarded]).toEqual([peer.sid, false]);
    expect([polling.sid, polling.discarded, polling.readyState]).toEqual([undefined, true, "closed"]);
  });
});

describe("an engine without a server around it", () => {
  it("makes an HTTP server that answers 501 to what is not its own", async () => {
    const engine = listen(0, { path: "/mine" });
    const server = engine.httpServer!;
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;

    const other = await fetch(`http://127.0.0.1:${port}/other`);
    expect([other.status, await other.text()]).toEqual([501, "Not Implemented"]);
    const handshake = await new RawPollingPeer(`http://127.0.0.1:${port}/mine/`).open();
    expect(engine.clients[handshake.sid]).toBeInstanceOf(Socket);
    engine.close();
  });

  it("takes the listener of listening in the place of options", async () => {
    const engine = await new Promise<Engine>((resolve) => {
      const listening: Engine = listen(0, () => resolve(listening));
    });
    expect(engine.httpServer!.listening).toBe(true);
    await new Promise((resolve) => engine.httpServer!.close(resolve));
  });

  it("attaches to a server in one call", async () => {
    const { server } = await startEngine({ path: "/first" });
    const second = attach(server, { path: "/second", pingInterval: 1234 });
    onTestFinished(() => void second.close());
    const { port } = server.address() as AddressInfo;

    const handshake = await new RawPollingPeer(`http://127.0.0.1:${port}/second/`).open();

    expect(handshake["pingInterval"]).toBe(1234);
    expect(second.clientsCount).toBe(1);
  });

  it("speaks the protocol it says", () => {
    expect(protocol).toBe(4);
  });
});
