import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  connect,
  type AddressInfo,
  createServer as createTcpServer,
  type NetConnectOpts,
  type Server as TcpServer,
  type Socket,
} from "node:net";
import type { TLSSocket } from "node:tls";
import type { EnginePacket } from "@plugboard/protocol";
import { eventInbox, Inbox, listen, selfSignedCertificate } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import type { TransportError } from "../transports/transport-error.js";
import type { TransportOptions } from "../transports/transport.js";
import { jarOf } from "./cookie-jar.js";
import { nodeHost } from "./node-host.js";
import { NodeXHR } from "./node-xhr.js";

/** A transport for a server, with what it says. */
function create(origin: string, more: TransportOptions = {}) {
  const { hostname, port, protocol } = new URL(origin);
  const transport = new NodeXHR({ hostname, port, secure: protocol === "https:", path: "/", ...more });
  return {
    transport,
    packets: eventInbox<EnginePacket>(transport, "packet"),
    errors: eventInbox<TransportError>(transport, "error"),
    drained: eventInbox(transport, "drain"),
  };
}

type Handler = (req: IncomingMessage, res: ServerResponse, body: string) => void;

function withBody(handle: Handler): RequestListener {
  return (req, res) => {
    let body = "";
    req.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    req.on("end", () => handle(req, res, body));
  };
}

async function listenTcp(server: TcpServer): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const OPEN = '0{"sid":"abc"}';

/** Options of a transport whose engine keeps cookies. */
const withCookies = () => ({ socket: { _host: nodeHost, binaryType: "nodebuffer" as const }, withCredentials: true });

describe("NodeXHR", () => {
  it("is known by its user agent, wants no compression, and may send any header", async () => {
    const requests = new Inbox<IncomingMessage>();
    const origin = await listen(
      createServer((req, res) => {
        requests.push(req);
        res.end("6");
      }),
    );
    const { transport } = create(origin, {
      extraHeaders: { Cookie: "a=1", Origin: "http://elsewhere", accept: "x/y" },
    });
    transport.open();
    const { headers } = await requests.next();
    expect(headers).toMatchObject({
      "user-agent": "node-XMLHttpRequest",
      cookie: "a=1",
      origin: "http://elsewhere",
      accept: "x/y",
    });
    expect(headers).not.toHaveProperty("accept-encoding");
    transport.close();
  });

  it("keeps its connection from poll to poll, unless an agent says otherwise", async () => {
    const sockets = new Inbox<Socket>();
    let polls = 0;
    const origin = await listen(
      createServer((req, res) => {
        sockets.push(req.socket);
        res.end(++polls % 3 === 0 ? "1" : polls % 3 === 1 ? OPEN : "6");
      }),
    );
    const kept = create(origin);
    const closed = eventInbox(kept.transport, "close");
    kept.transport.open();
    expect(new Set(await sockets.take(3)).size).toBe(1);
    await closed.next();
    const fresh = create(origin, { agent: false });
    fresh.transport.open();
    expect(new Set(await sockets.take(3)).size).toBe(3);
  });

  it("gives a standalone request to the agent it was made with", async () => {
    const asked = await new Promise((resolve) => {
      new NodeXHR({ path: "/", hostname: "localhost", agent: { addRequest: resolve } }).doOpen();
    });
    expect(asked).toMatchObject({ method: "GET" });
  });

  it("reads characters that are cut in two by the network", async () => {
    const bytes = Buffer.from(`${OPEN}\x1e4€\u{1f600}`);
    const origin = await listen(
      createServer((_req, res) => {
        const next = (at: number): void => {
          if (at === bytes.length) res.end();
          else res.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
        };
        next(0);
      }),
    );
    const { transport, packets } = create(origin);
    transport.open();
    expect((await packets.take(2))[1]).toEqual({ type: "message", data: "€\u{1f600}" });
    transport.close();
  });

  it("reports an answer that breaks off", async () => {
    const origin = await listen(
      createServer((_req, res) => {
        res.writeHead(200, { "Content-Length": "100" });
        res.write(OPEN, () => res.destroy());
      }),
    );
    const { transport, errors } = create(origin);
    transport.open();
    expect(await errors.next()).toMatchObject({
      message: "xhr poll error",
      description: 0,
      context: { statusText: { code: "ECONNRESET" } },
    });
  });

  it("shows in the context of an error what the server answered", async () => {
    const origin = await listen(
      createServer((_req, res) => void res.writeHead(429, "Slow down", { "Retry-After": "7" }).end("no")),
    );
    const { transport, errors } = create(origin);
    transport.open();
    const { description, context } = await errors.next();
    expect(description).toBe(429);
    expect(context).toMatchObject({ readyState: 4, status: 429, statusText: "Slow down", responseText: "no" });
    const response = context as { getResponseHeader(name: string): string | null };
    expect(response.getResponseHeader("Retry-After")).toBe("7");
    expect(response.getResponseHeader("x-other")).toBeNull();
  });

  it("reports, a moment later, a request that cannot be made", async () => {
    for (const options of [{ extraHeaders: { "not a name": "x" } }, { hostname: "not a host" }, { agent: {} }]) {
      const { transport, errors } = create("http://127.0.0.1:1", options);
      transport.open();
      expect(errors.size).toBe(0);
      expect(await errors.next()).toMatchObject({ description: 0, context: { statusText: expect.any(Error) } });
    }
  });

  describe("redirected", () => {
    it.each([
      { status: 302, method: "POST", body: "4a" },
      { status: 307, method: "POST", body: "4a" },
      { status: 303, method: "GET", body: "" },
    ])("goes on as $method after a $status", async ({ status, method, body }) => {
      const arrived = new Inbox<unknown>();
      const origin = await listen(
        createServer(
          withBody((req, res, text) => {
            if (req.url?.startsWith("/there")) {
              arrived.push([req.method, text]);
              res.end("ok");
            } else res.writeHead(status, { Location: "/there" }).end();
          }),
        ),
      );
      const { transport, drained } = create(origin);
      transport.readyState = "open";
      transport.send([{ type: "message", data: "a" }]);
      expect(await arrived.next()).toEqual([method, body]);
      await drained.next();
    });

    it("follows five times and no more", async () => {
      let requests = 0;
      const origin = await listen(
        createServer((_req, res) => {
          requests++;
          res.writeHead(302, { Location: "/again" }).end();
        }),
      );
      const { transport, errors } = create(origin);
      transport.open();
      expect(await errors.next()).toMatchObject({ description: 302 });
      expect(requests).toBe(6);
    });

    it("follows to http and https alone", async () => {
      const origin = await listen(createServer((_req, res) => void res.writeHead(302, { Location: "file:///" }).end()));
      const { transport, errors } = create(origin);
      transport.open();
      expect(await errors.next()).toMatchObject({ description: 0 });
    });

    it("shows secrets to no other server, and takes no cookies from it", async () => {
      const headers = new Inbox<IncomingMessage["headers"]>();
      const other = await listen(
        createServer((req, res) => {
          headers.push(req.headers);
          res.setHeader("Set-Cookie", "evil=1").end(OPEN);
        }),
      );
      const origin = await listen(createServer((_req, res) => void res.writeHead(302, { Location: other }).end()));
      const { transport, packets } = create(origin, {
        ...withCookies(),
        extraHeaders: { cookie: "a=1", Authorization: "Bearer x", "X-Kind": "y" },
      });
      jarOf(transport)?.store(["jar=1"]);
      transport.open();
      const seen = await headers.next();
      expect(seen).toMatchObject({ "x-kind": "y" });
      expect(seen).not.toHaveProperty("cookie");
      expect(seen).not.toHaveProperty("authorization");
      await packets.next();
      expect(jarOf(transport)?.header()).toBe("jar=1");
      transport.close();
    });
  });

  it("keeps and sends cookies where the engine has a jar, beside those of the user", async () => {
    const cookies = new Inbox<string | undefined>();
    const origin = await listen(
      createServer((req, res) => {
        if (cookies.size === 0) res.setHeader("Set-Cookie", ["1=1; Path=/", "2=2", "3=3; Max-Age=0"]);
        cookies.push(req.headers.cookie);
        res.end(cookies.size === 1 ? OPEN : "1");
      }),
    );
    const extraHeaders = { Cookie: "own=0" };
    const { transport, packets } = create(origin, { ...withCookies(), extraHeaders });
    const closed = eventInbox(transport, "close");
    transport.open();
    await packets.next();
    await closed.next();
    expect(await cookies.take(2)).toEqual(["own=0", "own=0; 1=1; 2=2"]);
    expect(extraHeaders).toEqual({ Cookie: "own=0" });
  });

  describe("on a kept connection", () => {
    /** Answers the first request of a connection, and cuts the connection at the second. */
    async function startForgetful() {
      const connections = new Inbox<Socket>();
      const server = createTcpServer((socket) => {
        let requests = 0;
        socket.on("error", () => {});
        socket.on("data", () => {
          if (++requests > 1) socket.resetAndDestroy();
          else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${OPEN.length}\r\n\r\n${OPEN}`);
        });
        connections.push(socket);
      });
      return { connections, origin: await listenTcp(server) };
    }

    it("does not send a request again that the server may have had", async () => {
      const { connections, origin } = await startForgetful();
      const { transport, packets, errors } = create(origin);
      transport.open();
      await packets.next();
      expect(await errors.next()).toMatchObject({ message: "xhr poll error", description: 0 });
      expect(connections.size).toBe(1);
    });

    it("does not begin a session on a connection of another one", async () => {
      const { connections, origin } = await startForgetful();
      for (const _session of [1, 2]) {
        const { transport, packets } = create(origin);
        transport.open();
        expect(await packets.next()).toMatchObject({ type: "open" });
      }
      expect(connections.size).toBe(2);
    });

    it("does not try a connection that is refused again", async () => {
      const connections = new Inbox<Socket>();
      const server = createTcpServer((socket) => {
        connections.push(socket);
        socket.on("error", () => {}).once("data", () => socket.resetAndDestroy());
      });
      const { transport, errors } = create(await listenTcp(server));
      transport.open();
      expect(await errors.next()).toMatchObject({ description: 0 });
      expect(connections.size).toBe(1);
    });
  });

  describe("over TLS", () => {
    async function startTls() {
      return (await listen(createTlsServer(selfSignedCertificate, (_req, res) => void res.end(OPEN)))).replace(
        "http:",
        "https:",
      );
    }

    it("refuses a server that nobody vouches for", async () => {
      const { transport, errors } = create(await startTls());
      transport.open();
      expect(await errors.next()).toMatchObject({ description: 0 });
    });

    it.each<[string, TransportOptions]>([
      ["its authority is given", { ca: selfSignedCertificate.cert }],
      ["nobody looks", { rejectUnauthorized: false }],
    ])("connects when %s", async (_why, options) => {
      const { transport, packets } = create(await startTls(), options);
      transport.open();
      expect(await packets.next()).toMatchObject({ type: "open" });
      transport.close();
    });

    it("shows its certificate to no server that it was redirected to", async () => {
      const names = new Inbox<boolean>();
      const other = await listen(
        createTlsServer({ ...selfSignedCertificate, requestCert: true, rejectUnauthorized: false }, (req, res) => {
          names.push("subject" in (req.socket as TLSSocket).getPeerCertificate());
          res.end(OPEN);
        }),
      );
      const home = await listen(
        createTlsServer({ ...selfSignedCertificate, requestCert: true, rejectUnauthorized: false }, (req, res) => {
          names.push("subject" in (req.socket as TLSSocket).getPeerCertificate());
          res.writeHead(302, { Location: other.replace("http:", "https:") }).end();
        }),
      );
      const options = { ...selfSignedCertificate, ca: selfSignedCertificate.cert };
      const { transport } = create(home.replace("http:", "https:"), options);
      transport.open();
      expect(await names.take(2)).toEqual([true, false]);
      transport.close();
    });

    it("lets the user check who the server is, on connections that nobody else made", async () => {
      const origin = await startTls();
      const trusting = create(origin, { ca: selfSignedCertificate.cert });
      trusting.transport.open();
      await trusting.packets.take(2);
      const checkServerIdentity = (): Error => new Error("an impostor");
      const { transport, errors } = create(origin, {
        ca: selfSignedCertificate.cert,
        checkServerIdentity,
      } as TransportOptions);
      transport.open();
      expect((await errors.next()).context).toMatchObject({ statusText: { message: "an impostor" } });
      trusting.transport.close();
    });
  });

  it("does not keep the process alive with `autoUnref`", async () => {
    const origin = await listen(createServer());
    for (const autoUnref of [true, false]) {
      const sockets = new Inbox<Socket & { _handle: { hasRef(): boolean } }>();
      class WatchedAgent extends Agent {
        override createConnection(options: NetConnectOpts): Socket {
          const socket = connect(options);
          sockets.push(socket as never);
          return socket;
        }
      }
      const { transport } = create(origin, { autoUnref, agent: new WatchedAgent(), requestTimeout: 60_000 });
      transport.open();
      const socket = await sockets.next();
      await once(socket, "connect");
      expect(socket._handle.hasRef()).toBe(!autoUnref);
      transport.close();
    }
  });
});
